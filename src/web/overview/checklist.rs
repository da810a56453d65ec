//! All that is known of backups, with what only the store and the book tell of them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::View;
use super::alerts::{is_signal, tone};
use super::facts::{elements, values};
use crate::backup::{Account, Firing, Lag, Watched};
use crate::incident::Book;
use crate::rules::{Alert, AlertState};
use crate::sample::{Source, Timestamp};
use crate::store::Store;
use crate::web::overview::Tone;

/// Standbys that are there to take over: what takes or copies backups streams as well.
const STANDBYS: &str = r#"count(pg_stat_replication_sync_state{application_name!~"pg_basebackup|pg_receivewal|pg_recvlogical|pg_dump|pgbackrest.*|barman.*|wal-g|pg_[0-9]+_sync_.*"})"#;
/// There whenever a server has been asked for its standbys.
const ASKED: &str = "count(pg_replication_standbys)";

/// The servers that did not answer.
const SILENT: &str = "min by (server) (pg_up) == 0";

/// How a source stands to its server.
const BEHIND: &str = "max by (source) (pg_backup_wal_behind_segments)";
const LEAST_AGE: &str = "max by (source) (pg_backup_recovery_point_least_age_seconds)";
const OBJECTIVE: &str = "min by (source) (pg_backup_recovery_point_objective_seconds)";

/// What an alert about backups rests on: these collectors, and those whose names begin so.
const COLLECTORS: [&str; 3] = ["exposure", "wal_archive", "archiver"];
const PREFIXES: [&str; 2] = ["backup:", "drill:"];

/// All that is known of backups.
pub fn account(view: &View, now: Timestamp) -> Account {
    let watched = Watched {
        standbys: standbys(&view.store, now),
        silent: silent(&view.store, now),
        lags: lags(&view.store, now),
        alerts: view.ledger.read(alerts),
    };
    view.backups.account(watched, now)
}

fn standbys(store: &Store, now: Timestamp) -> Option<u64> {
    let count = |expression| {
        elements(store, expression, now)
            .first()
            .map(|element| element.value as u64)
    };
    count(STANDBYS).or_else(|| count(ASKED).map(|_| 0))
}

fn silent(store: &Store, now: Timestamp) -> BTreeSet<String> {
    values(store, SILENT, "server", now).into_keys().collect()
}

fn lags(store: &Store, now: Timestamp) -> BTreeMap<String, Lag> {
    let span = |seconds: f64| Duration::try_from_secs_f64(seconds.max(0.0)).ok();
    let mut lags: BTreeMap<String, Lag> = BTreeMap::new();
    let of = |expression| values(store, expression, "source", now);
    for (source, segments) in of(BEHIND) {
        lags.entry(source).or_default().behind_segments = Some(segments as u64);
    }
    for (source, seconds) in of(LEAST_AGE) {
        lags.entry(source).or_default().least_age = span(seconds);
    }
    for (source, seconds) in of(OBJECTIVE) {
        lags.entry(source).or_default().objective = span(seconds);
    }
    lags
}

/// Those that fire, the newest first; whether somebody is told of them or not.
fn alerts(book: &Book) -> Vec<Firing> {
    let alerts = book.alerts.values();
    let fires = |alert: &&Alert| alert.state == AlertState::Firing && !is_signal(alert);
    let about = alerts
        .filter(fires)
        .filter(|alert| alert.sources.iter().any(is_of_backups));
    let mut firing: Vec<Firing> = about.map(firing).collect();
    firing.sort_by_key(|alert| std::cmp::Reverse(alert.since));
    firing
}

fn is_of_backups(source: &Source) -> bool {
    let collector = &*source.collector;
    COLLECTORS.contains(&collector) || PREFIXES.iter().any(|prefix| collector.starts_with(prefix))
}

fn firing(alert: &Alert) -> Firing {
    let label = |name: &str| alert.labels.get(name).to_owned();
    let first = |names: &[&str]| {
        let mut values = names.iter().map(|name| label(name));
        values.find(|value| !value.is_empty()).unwrap_or_default()
    };
    let name = label("alertname");
    Firing {
        is_grave: tone(alert.labels.get("severity")) > Tone::Info,
        severity: label("severity"),
        about: first(&["source", "server", "instance"]),
        summary: alert.annotations.get("summary").unwrap_or(&name).clone(),
        since: alert.fired_at.unwrap_or(alert.active_at),
        name,
    }
}
