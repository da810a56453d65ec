//! What is read, as the targets of a Prometheus: `targets`, `scrape_pools`.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::document::format_duration;
use crate::sample::{Labels, Source};
use crate::scrape::Status;

use super::Asked;
use super::answer::Answer;
use super::failure::Failure;
use super::json::{array, moment, object, text};

/// A server, a pooler, a node of Patroni, a place for backups, or pgvigil itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Watched {
    /// What it is one of: `postgresql`, `pgbouncer`, `patroni`, `backup` or `pgvigil`.
    pub pool: &'static str,
    /// Its name; of backups it stands beside that of the server.
    pub name: Arc<str>,
    /// Where it is, without anything that is secret.
    pub url: String,
    /// The source that tells whether it can be read at all.
    pub source: Source,
    /// The most a reading may take, where there is such a limit.
    pub timeout: Option<Duration>,
}

/// What `job` says in the store.
const JOB: &str = "pgvigil";

impl Watched {
    /// What its series have in common.
    pub(super) fn labels(&self) -> Labels {
        let server = &*self.source.server;
        let instance = if server.is_empty() { JOB } else { server };
        let backup = if self.is_backup() { &*self.name } else { "" };
        Labels::new([
            ("instance", instance),
            ("job", JOB),
            ("server", server),
            ("source", backup),
        ])
    }

    /// Whether what a source reads is read of it.
    pub(super) fn owns(&self, source: &Source) -> bool {
        let backup = source.collector.starts_with("backup:");
        *source == self.source
            || !backup && !self.is_backup() && source.server == self.source.server
    }

    fn is_backup(&self) -> bool {
        self.pool == "backup"
    }
}

/// `targets`
pub(super) fn targets(asked: &Asked) -> Result<Answer, Failure> {
    let state = asked.parameters.first("state").to_ascii_lowercase();
    let shown = |kind: &str| state.is_empty() || state == "any" || state == kind;
    let pool = asked.parameters.given("scrapePool");
    let api = &asked.view.api;
    let mut active: Vec<&Watched> = api.watched.iter().collect();
    active.retain(|target| shown("active") && pool.is_none_or(|pool| pool == target.pool));
    active.sort_by_key(|target| target.pool);
    let statuses = asked.view.board.statuses();
    Ok(Answer::written(|out| {
        object(out, |o| {
            array(o.key("activeTargets"), active, |out, target| {
                let status = statuses
                    .iter()
                    .find(|status| status.source == target.source);
                write(out, target, status);
            });
            o.plain("droppedTargets", "[]");
            if shown("dropped") {
                object(o.key("droppedTargetCounts"), |o| {
                    for pool in names(asked) {
                        o.plain(pool, 0);
                    }
                });
            } else {
                o.plain("droppedTargetCounts", "null");
            }
        });
    }))
}

fn write(out: &mut String, target: &Watched, status: Option<&Status>) {
    let interval = status.map(|status| status.interval).unwrap_or_default();
    let timeout = target.timeout.unwrap_or(interval);
    let (interval, timeout) = (format_duration(interval), format_duration(timeout));
    let tried = status.and_then(|status| status.last_attempt);
    let error = status.and_then(|status| status.error.as_deref());
    let health = match (tried, error) {
        (None, _) => "unknown",
        (_, None) => "up",
        (_, Some(_)) => "down",
    };
    let discovered = [
        ("__address__", target.url.as_str()),
        ("__scrape_interval__", interval.as_str()),
        ("__scrape_timeout__", timeout.as_str()),
        ("job", JOB),
    ];
    object(out, |o| {
        o.labels("discoveredLabels", &Labels::new(discovered));
        o.labels("labels", &target.labels());
        o.text("scrapePool", target.pool);
        o.text("scrapeUrl", &target.url);
        o.text("globalUrl", &target.url);
        o.text("lastError", error.unwrap_or_default());
        o.text("lastScrape", &moment(tried));
        let took = status.map(|status| status.took.as_secs_f64());
        o.number("lastScrapeDuration", took.unwrap_or_default());
        o.text("health", health);
        o.text("scrapeInterval", &interval);
        o.text("scrapeTimeout", &timeout);
    });
}

/// `scrape_pools`
pub(super) fn pools(asked: &Asked) -> Result<Answer, Failure> {
    Ok(Answer::written(|out| {
        object(out, |o| {
            array(o.key("scrapePools"), names(asked), |out, pool| {
                text(out, pool)
            });
        });
    }))
}

fn names(asked: &Asked) -> BTreeSet<&'static str> {
    let watched = asked.view.api.watched.iter();
    watched.map(|target| target.pool).collect()
}
