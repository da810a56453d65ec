//! Everything that is watched and has numbers: PostgreSQL servers, PgBouncers, the nodes of Patroni.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::Tone;
use super::facts::{Declared, Fact, Unit, elements, facts, values};
use crate::sample::Timestamp;
use crate::scrape::{Status, reason};
use crate::store::Store;

/// One watched server, PgBouncer or node.
#[derive(Debug, Clone, PartialEq)]
pub struct Server {
    /// Its configured name.
    pub name: Arc<str>,
    /// `PostgreSQL`, `PgBouncer` or `Patroni`.
    pub product: &'static str,
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

/// What all servers of one product have in common.
pub(super) struct Product {
    name: &'static str,
    /// 1 where one answers.
    up: &'static str,
    /// The first expression that gives an element says the role.
    roles: &'static [(&'static str, &'static str)],
    version: fn(&Store, Timestamp) -> BTreeMap<String, String>,
    facts: &'static [Declared],
}

pub(super) const POSTGRESQL: Product = Product {
    name: "PostgreSQL",
    up: "max by (instance) (pg_up)",
    roles: &[
        ("pg_replication_is_replica == 1", "standby"),
        ("pg_replication_is_replica == 0", "primary"),
    ],
    version: |store, now| labelled(store, "pg_static", "short_version", ".0", now),
    facts: &SERVER_FACTS,
};

pub(super) const PGBOUNCER: Product = Product {
    name: "PgBouncer",
    up: "max by (instance) (pgbouncer_up)",
    roles: &[],
    version: |store, now| labelled(store, "pgbouncer_version_info", "version", "", now),
    facts: &POOL_FACTS,
};

pub(super) const PATRONI: Product = Product {
    name: "Patroni",
    up: "max by (instance) (patroni_up)",
    roles: &[
        ("patroni_primary == 1", "leader"),
        ("patroni_standby_leader == 1", "standby leader"),
        ("patroni_sync_standby == 1", "synchronous standby"),
        ("patroni_quorum_standby == 1", "quorum standby"),
        ("patroni_replica == 1", "replica"),
    ],
    version: patroni_versions,
    facts: &NODE_FACTS,
};

/// A rate over five minutes takes what it has not seen for standstill, so until it has seen them all the last two samples
/// must do.
const TRANSACTIONS: &str = "sum by (instance) (\
    ((rate(pg_stat_database_xact_commit[5m]) and pg_stat_database_xact_commit offset 5m) \
      or irate(pg_stat_database_xact_commit[5m])) \
    + ((rate(pg_stat_database_xact_rollback[5m]) and pg_stat_database_xact_rollback offset 5m) \
      or irate(pg_stat_database_xact_rollback[5m])))";

/// The guide's numbers, and what follows from them.
const SERVER_FACTS: [Declared; 15] = [
    Declared::number(
        "connections",
        Unit::Count,
        "max by (instance) (pg_connections_used)",
    )
    .of("max by (instance) (pg_connections_limit)")
    .with_trend(),
    Declared::number(
        "running a statement",
        Unit::Count,
        "max by (instance) (pg_connections_active)",
    )
    .with_trend(),
    Declared::number(
        "waiting for a lock",
        Unit::Count,
        "max by (instance) (pg_locks_waiting_sessions)",
    )
    .optional(),
    Declared::number(
        "longest statement",
        Unit::Seconds,
        "max by (instance) (pg_long_queries_oldest_seconds)",
    ),
    Declared::number(
        "longest transaction",
        Unit::Seconds,
        "max by (instance) (pg_long_transactions_oldest_seconds)",
    ),
    Declared::number(
        "transactions",
        Unit::PerSecond,
        TRANSACTIONS,
    )
    .with_trend(),
    Declared::number(
        "cache hits",
        Unit::Share,
        "sum by (instance) (rate(pg_stat_database_blks_hit[5m])) / \
         sum by (instance) (rate(pg_stat_database_blks_hit[5m]) + rate(pg_stat_database_blks_read[5m]))",
    )
    .with_trend(),
    Declared::number("size", Unit::Bytes, "sum by (instance) (pg_database_size_bytes)").with_trend(),
    Declared::number(
        "behind its primary",
        Unit::Seconds,
        "max by (instance) (pg_replication_lag_seconds and on (instance) pg_replication_is_replica == 1)",
    )
    .optional()
    .with_trend(),
    Declared::number(
        "standbys",
        Unit::Count,
        "max by (instance) (pg_replication_standbys) > 0",
    )
    .optional(),
    Declared::number(
        "slowest standby behind",
        Unit::Bytes,
        "max by (instance) (pg_stat_replication_pg_wal_lsn_diff)",
    )
    .optional()
    .with_trend(),
    Declared::number(
        "last WAL archived",
        Unit::Ago,
        "max by (instance) (pg_stat_archiver_last_archive_age)",
    )
    .optional(),
    Declared::number(
        "way to wraparound",
        Unit::Share,
        "max by (instance) (pg_database_xid_age) / 2147483648",
    )
    .optional(),
    Declared::number(
        "memory of the machine",
        Unit::Bytes,
        "max by (instance) (pgvigil_server_memory_bytes)",
    )
    .optional(),
    Declared::number(
        "running for",
        Unit::Seconds,
        "time() - max by (instance) (pg_postmaster_start_time_seconds)",
    )
    .optional(),
];

const POOL_FACTS: [Declared; 6] = [
    Declared::number(
        "clients",
        Unit::Count,
        "max by (instance) (pgbouncer_used_clients)",
    )
    .of("max by (instance) (pgbouncer_config_max_client_connections)")
    .with_trend(),
    Declared::number(
        "waiting for a connection",
        Unit::Count,
        "sum by (instance) (pgbouncer_pools_client_waiting_connections)",
    )
    .with_trend(),
    Declared::number(
        "longest wait",
        Unit::Seconds,
        "max by (instance) (pgbouncer_pools_client_maxwait_seconds)",
    ),
    Declared::number(
        "connections to servers",
        Unit::Count,
        "max by (instance) (pgbouncer_used_servers)",
    )
    .with_trend(),
    Declared::number(
        "queries",
        Unit::PerSecond,
        "sum by (instance) (\
           (rate(pgbouncer_stats_totals_queries_pooled_total[5m]) and pgbouncer_stats_totals_queries_pooled_total offset 5m) \
           or irate(pgbouncer_stats_totals_queries_pooled_total[5m]))",
    )
    .with_trend(),
    Declared::number(
        "paused databases",
        Unit::Count,
        "sum by (instance) (pgbouncer_databases_paused) > 0",
    )
    .optional(),
];

const NODE_FACTS: [Declared; 7] = [
    Declared::number(
        "PostgreSQL",
        Unit::Running,
        "max by (instance) (patroni_postgres_running)",
    ),
    Declared::number(
        "furthest member behind",
        Unit::Bytes,
        "max by (instance) (patroni_cluster_member_lag_bytes)",
    )
    .optional()
    .with_trend(),
    Declared::number(
        "members",
        Unit::Count,
        "count by (instance) (patroni_cluster_member_info)",
    )
    .optional(),
    Declared::number(
        "timeline",
        Unit::Count,
        "max by (instance) (patroni_postgres_timeline)",
    )
    .optional(),
    Declared::number(
        "store of the configuration seen",
        Unit::Ago,
        "time() - max by (instance) (patroni_dcs_last_seen > 0)",
    )
    .optional(),
    Declared::number(
        "failover",
        Unit::SwitchedOff,
        "max by (instance) (patroni_is_paused) == 1",
    )
    .optional(),
    Declared::number(
        "running for",
        Unit::Seconds,
        "time() - max by (instance) (patroni_postmaster_start_time > 0)",
    )
    .optional(),
];

/// All servers of one product, in the order of their names given.
pub(super) fn servers<'n>(
    product: &Product,
    names: impl Iterator<Item = &'n Arc<str>>,
    store: &Store,
    statuses: &[Status],
    span: Duration,
    now: Timestamp,
) -> Vec<Server> {
    let mut names = names.peekable();
    if names.peek().is_none() {
        return Vec::new();
    }
    let up = values(store, product.up, "instance", now);
    let roles = product.roles.iter();
    let roles: Vec<_> = roles
        .map(|(expression, role)| (values(store, expression, "instance", now), *role))
        .collect();
    let versions = (product.version)(store, now);
    let facts = facts(store, product.facts, "instance", span, now);
    let each = names.map(|name| {
        let standing = match up.get(&**name) {
            Some(1.0) => Standing::Up,
            Some(_) => Standing::Down,
            None => Standing::Unknown,
        };
        let role = roles.iter().find(|(holds, _)| holds.contains_key(&**name));
        Server {
            name: name.clone(),
            product: product.name,
            standing,
            role: role.map_or("", |(_, role)| role),
            version: versions.get(&**name).cloned().unwrap_or_default(),
            reason: match standing {
                Standing::Up => String::new(),
                _ => reason(statuses, name).unwrap_or_default(),
            },
            facts: match standing {
                Standing::Down => unknown(facts(name)),
                _ => facts(name),
            },
        }
    });
    each.collect()
}

/// A rate outlives its server by its window: what is left of the numbers says nothing of now, but how they went does.
fn unknown(facts: Vec<Fact>) -> Vec<Fact> {
    let each = facts.into_iter().map(|fact| Fact {
        text: None,
        used: None,
        ..fact
    });
    each.collect()
}

/// Versions from a label, without their padding: `15.18.0` is how `pg_static` writes what PostgreSQL calls 15.18.
fn labelled(
    store: &Store,
    metric: &str,
    label: &str,
    padding: &str,
    now: Timestamp,
) -> BTreeMap<String, String> {
    let elements = elements(store, metric, now);
    let each = elements.iter().map(|element| {
        let version = element.labels.get(label);
        let version = version.strip_prefix("PgBouncer ").unwrap_or(version);
        let version = version.strip_suffix(padding).unwrap_or(version);
        let name = element.labels.get("instance");
        (name.to_owned(), version.to_owned())
    });
    each.collect()
}

/// Two digits for each part: 40105 is 4.1.5.
fn patroni_versions(store: &Store, now: Timestamp) -> BTreeMap<String, String> {
    let numbers = values(
        store,
        "max by (instance) (patroni_version)",
        "instance",
        now,
    );
    let each = numbers.into_iter().map(|(name, number)| {
        let number = number as u64;
        let (major, minor, patch) = (number / 10_000, number / 100 % 100, number % 100);
        (name, format!("{major}.{minor}.{patch}"))
    });
    each.collect()
}
