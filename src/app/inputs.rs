//! Which rules cannot see because what they read is missing: joins what the board knows of sources with the rules.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::backup;
use crate::collectors::Collector;
use crate::incident::Ledger;
use crate::rules::{self, Group, Inputs, Statuses};
use crate::sample::{Sample, Source, Timestamp};
use crate::scrape::{Board, LIVENESS, Status};

/// The rooms that know of rules and of what they read.
pub(super) struct Sight {
    pub(super) inputs: Inputs,
    pub(super) board: Arc<Board>,
    pub(super) ledger: Arc<Ledger>,
    pub(super) statuses: Arc<Statuses>,
    pub(super) started: Timestamp,
}

impl Sight {
    /// What is to be told of the rules now.
    pub(super) fn samples(&self, now: Timestamp) -> Vec<Sample> {
        let missing = self.missing(now);
        self.ledger.read(|book| {
            let blind = self.inputs.blind(&missing, book.alerts.values());
            rules::samples(&self.statuses, &blind, now)
        })
    }

    /// Sources that give nothing, though they should, and since when. What nobody has granted is a choice, and that a
    /// server is down is said by an alert of its own.
    fn missing(&self, now: Timestamp) -> Vec<(Source, Timestamp)> {
        let statuses = self.board.statuses();
        let down =
            |status: &&Status| *status.source.collector == *LIVENESS && status.error.is_some();
        let down: BTreeSet<&str> = statuses
            .iter()
            .filter(down)
            .map(|status| &*status.source.server)
            .collect();
        let tried = |status: &&Status| status.error.is_some() || status.last_success.is_some();
        let missing = statuses
            .iter()
            .filter(tried)
            .filter(|status| !status.denied && !down.contains(&*status.source.server))
            .filter(|status| !self.board.fresh(&status.source, now));
        let each = missing.map(|status| {
            let since = status.last_success.unwrap_or(self.started);
            (status.source.clone(), since)
        });
        each.collect()
    }
}

/// What the alerting rules read.
pub(super) fn inputs(groups: &[Group], catalogue: &[Arc<Collector>], aliases: bool) -> Inputs {
    let collected = catalogue.iter().flat_map(|collector| {
        let families = collector
            .metrics
            .iter()
            .flat_map(|metric| metric.families(aliases));
        families.map(|family| (filled_in(&family.name), collector.name.to_string()))
    });
    let backups = backup::METRICS.iter();
    let backups = backups.map(|metric| (metric.name.to_owned(), "backup:*".to_owned()));
    let exposure = backup::EXPOSURE_METRICS.iter();
    let exposure = exposure.map(|metric| (metric.name.to_owned(), "exposure".to_owned()));
    Inputs::of(
        groups,
        &collected.chain(backups).chain(exposure).collect::<Vec<_>>(),
    )
}

/// `pg_settings_{name}` as the pattern `pg_settings_*`.
fn filled_in(name: &str) -> String {
    let mut pattern = String::new();
    for (place, part) in name.split('{').enumerate() {
        match part.split_once('}') {
            Some((_, after)) if place > 0 => pattern.extend(["*", after]),
            _ => pattern.push_str(part),
        }
    }
    pattern
}
