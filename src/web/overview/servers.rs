//! The watched servers and their numbers.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::facts::{Declared, Fact, Unit, elements, facts, values};
use super::{Tone, troubles};
use crate::sample::Timestamp;
use crate::scrape::Status;
use crate::store::Store;

/// One watched server.
#[derive(Debug, Clone, PartialEq)]
pub struct Server {
    /// Its configured name.
    pub name: Arc<str>,
    /// Whether it answers.
    pub standing: Standing,
    /// Such as `primary` or `standby`; empty while unknown.
    pub role: &'static str,
    /// Such as `15.18`; empty while unknown.
    pub version: String,
    /// Why it does not answer; empty when it does.
    pub reason: String,
    /// Its numbers.
    pub facts: Vec<Fact>,
}

/// Whether a server answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It answers.
    Up,
    /// It does not.
    Down,
    /// Not judged yet, or not lately.
    Unknown,
}

impl Standing {
    /// The colour it is shown in.
    pub fn tone(self) -> Tone {
        match self {
            Standing::Up => Tone::Good,
            Standing::Down => Tone::Critical,
            Standing::Unknown => Tone::Unknown,
        }
    }
}

/// The guide's numbers, and what follows from them.
const FACTS: [Declared; 13] = [
    Declared {
        label: "connections",
        expression: "max by (instance) (pg_connections_used)",
        unit: Unit::Count,
        limit: Some("max by (instance) (pg_connections_limit)"),
        optional: false,
    },
    Declared {
        label: "running a statement",
        expression: "max by (instance) (pg_connections_active)",
        unit: Unit::Count,
        limit: None,
        optional: false,
    },
    Declared {
        label: "longest statement",
        expression: "max by (instance) (pg_long_queries_oldest_seconds)",
        unit: Unit::Seconds,
        limit: None,
        optional: false,
    },
    Declared {
        label: "longest transaction",
        expression: "max by (instance) (pg_long_transactions_oldest_seconds)",
        unit: Unit::Seconds,
        limit: None,
        optional: false,
    },
    Declared {
        label: "transactions",
        expression: "sum by (instance) (rate(pg_stat_database_xact_commit[5m]) + rate(pg_stat_database_xact_rollback[5m]))",
        unit: Unit::PerSecond,
        limit: None,
        optional: false,
    },
    Declared {
        label: "cache hits",
        expression: "sum by (instance) (rate(pg_stat_database_blks_hit[5m])) / \
                     sum by (instance) (rate(pg_stat_database_blks_hit[5m]) + rate(pg_stat_database_blks_read[5m]))",
        unit: Unit::Share,
        limit: None,
        optional: false,
    },
    Declared {
        label: "size",
        expression: "sum by (instance) (pg_database_size_bytes)",
        unit: Unit::Bytes,
        limit: None,
        optional: false,
    },
    Declared {
        label: "unused indexes",
        expression: "sum by (instance) (pg_unused_index_size_bytes)",
        unit: Unit::Bytes,
        limit: None,
        optional: true,
    },
    Declared {
        label: "behind its primary",
        expression: "max by (instance) (pg_replication_lag_seconds and on (instance) pg_replication_is_replica == 1)",
        unit: Unit::Seconds,
        limit: None,
        optional: true,
    },
    Declared {
        label: "standbys",
        expression: "max by (instance) (pg_replication_standbys) > 0",
        unit: Unit::Count,
        limit: None,
        optional: true,
    },
    Declared {
        label: "slowest standby behind",
        expression: "max by (instance) (pg_stat_replication_pg_wal_lsn_diff)",
        unit: Unit::Bytes,
        limit: None,
        optional: true,
    },
    Declared {
        label: "last WAL archived",
        expression: "max by (instance) (pg_stat_archiver_last_archive_age)",
        unit: Unit::Ago,
        limit: None,
        optional: true,
    },
    Declared {
        label: "running for",
        expression: "time() - max by (instance) (pg_postmaster_start_time_seconds)",
        unit: Unit::Seconds,
        limit: None,
        optional: true,
    },
];

pub(super) fn servers(
    names: &[Arc<str>],
    store: &Store,
    statuses: &[Status],
    now: Timestamp,
) -> Vec<Server> {
    let up = values(store, "max by (instance) (pg_up)", "instance", now);
    let standby = values(
        store,
        "max by (instance) (pg_replication_is_replica)",
        "instance",
        now,
    );
    let versions = versions(store, now);
    let facts = facts(store, &FACTS, "instance", now);
    let each = names.iter().map(|name| {
        let standing = match up.get(&**name) {
            Some(1.0) => Standing::Up,
            Some(_) => Standing::Down,
            None => Standing::Unknown,
        };
        Server {
            name: name.clone(),
            standing,
            role: match standby.get(&**name) {
                Some(1.0) => "standby",
                Some(_) => "primary",
                None => "",
            },
            version: versions.get(&**name).cloned().unwrap_or_default(),
            reason: match standing {
                Standing::Up => String::new(),
                _ => troubles::reason(statuses, name).unwrap_or_default(),
            },
            facts: match standing {
                Standing::Down => unknown(facts(name)),
                _ => facts(name),
            },
        }
    });
    each.collect()
}

/// A rate outlives its server by its window: what is left of the numbers says nothing of now.
fn unknown(facts: Vec<Fact>) -> Vec<Fact> {
    let each = facts.into_iter().map(|fact| Fact {
        text: None,
        used: None,
        ..fact
    });
    each.collect()
}

/// `15.18.0` is how `pg_static` pads what PostgreSQL calls 15.18.
fn versions(store: &Store, now: Timestamp) -> BTreeMap<String, String> {
    let elements = elements(store, "pg_static", now);
    let each = elements.iter().map(|element| {
        let version = element.labels.get("short_version");
        let version = version.strip_suffix(".0").unwrap_or(version);
        (
            element.labels.get("instance").to_owned(),
            version.to_owned(),
        )
    });
    each.collect()
}
