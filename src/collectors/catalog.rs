//! The collectors that are built in, one file each, and how they and a user's own are read.

use std::sync::Arc;

use super::{Collector, Lookup, evidence::is_evidence, read};
use crate::document::{Problem, Reader, Section, parse};

macro_rules! built_in {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("catalog/", $name, ".yml")))),*]
    };
}

/// Name and text of each file, in the order of the reference.
const BUILT_IN: &[(&str, &str)] = built_in![
    "server",
    "restarts",
    "timeline",
    "control_data",
    "connection_slots",
    "encryption",
    "connections",
    "activity",
    "sessions",
    "processes",
    "wait_events",
    "process_idle",
    "locks",
    "lock_waits",
    "blockers",
    "prepared_transactions",
    "xmin_horizon",
    "databases",
    "database_sizes",
    "database_activity",
    "checksums",
    "conflicts",
    "roles",
    "extensions",
    "settings",
    "configuration_fingerprint",
    "pending_restart",
    "file_settings",
    "hba_rules",
    "replication",
    "standbys",
    "replication_slots",
    "slot_statistics",
    "subscriptions",
    "subscription_statistics",
    "wal_receiver",
    "recovery_prefetch",
    "archiver",
    "wal",
    "wal_position",
    "wal_archive",
    "wal_archived",
    "wal_activity",
    "bgwriter",
    "checkpointer",
    "bgwriter_until_16",
    "io",
    "async_io",
    "temporary_files",
    "slru",
    "activity_autovacuum",
    "stat_progress_vacuum",
    "progress_vacuum",
    "progress_analyze",
    "progress_create_index",
    "progress_cluster",
    "progress_copy",
    "progress_basebackup",
    "tables",
    "table_upkeep",
    "table_sizes",
    "table_total_sizes",
    "table_io",
    "cache_hits",
    "indexes",
    "unused_indexes",
    "index_faults",
    "table_bloat",
    "index_bloat",
    "foreign_keys",
    "primary_keys",
    "sequences",
    "functions",
    "freeze_ages",
    "autovacuum_workers",
    "autovacuum_queue",
    "statements",
    "statement_texts",
    "statements_info",
    "buffercache_summary",
    "pgbouncer_version",
    "pgbouncer_pools",
    "pgbouncer_stats",
    "pgbouncer_databases",
    "pgbouncer_lists",
    "pgbouncer_config",
];

/// Whether a collector of that name is built in; evidence queries are not collectors.
pub fn is_built_in(name: &str) -> bool {
    BUILT_IN.iter().any(|(known, _)| *known == name)
}

/// Reads the built-in collectors and then a user's own files, given as name and text.
///
/// # Errors
/// Everything that is wrong with any of them.
pub fn load(files: &[(String, String)]) -> Result<Vec<Arc<Collector>>, Vec<Problem>> {
    load_all(BUILT_IN, files, file)
}

/// Reads built-in files and then a user's own with a function that is handed those before; it passes over a file that is
/// none of its kind.
///
/// # Errors
/// Everything that is wrong with any of them.
pub(super) fn load_all<T>(
    built_in: &[(&str, &str)],
    own: &[(String, String)],
    file: impl Fn(&str, &str, &[Arc<T>]) -> Result<Option<T>, Vec<Problem>>,
) -> Result<Vec<Arc<T>>, Vec<Problem>> {
    let built_in = built_in.iter();
    let built_in = built_in.map(|(name, text)| (format!("built-in {name}.yml"), *text));
    let own = own.iter();
    let own = own.map(|(name, text)| (name.clone(), text.as_str()));
    let (mut loaded, mut problems) = (Vec::new(), Vec::new());
    for (origin, text) in built_in.chain(own) {
        match file(&origin, text, &loaded) {
            Ok(one) => loaded.extend(one.map(Arc::new)),
            Err(mistakes) => problems.extend(mistakes),
        }
    }
    if problems.is_empty() {
        Ok(loaded)
    } else {
        Err(problems)
    }
}

/// `None` for an evidence query's file.
fn file(
    origin: &str,
    text: &str,
    earlier: &[Arc<Collector>],
) -> Result<Option<Collector>, Vec<Problem>> {
    let root = parse(origin, text).map_err(|problem| vec![problem])?;
    if is_evidence(&root) {
        return Ok(None);
    }
    let reader = Reader::new(None);
    let collector = reader.read(&root, |s| {
        let collector = read::collector(s);
        check_lookup(&collector, earlier, s);
        for other in earlier {
            if other.name == collector.name && !other.name.is_empty() {
                let hint = "give it another name; `collect.disable` turns the other one off";
                s.problem(
                    "name",
                    format!("there is already a collector `{}`", other.name),
                    Some(hint),
                );
            }
            for taken in names_in_both(&collector, other) {
                s.problem(
                    "metrics",
                    format!("`{taken}` already comes from collector `{}`", other.name),
                    None,
                );
            }
        }
        collector
    });
    match reader.problems() {
        problems if problems.is_empty() => Ok(Some(collector)),
        problems => Err(problems),
    }
}

/// What a lookup asks for must have been read before it.
fn check_lookup(collector: &Collector, earlier: &[Arc<Collector>], s: &Section) {
    let Some(Lookup { of, label }) = &collector.lookup else {
        return;
    };
    let Some(shows) = earlier.iter().find(|other| other.name == *of) else {
        let hint = Some("it looks up what a built-in collector or one of an earlier file shows");
        s.problem("lookup", format!("there is no collector `{of}`"), hint);
        return;
    };
    if (shows.scope, shows.lane) != (collector.scope, collector.lane) {
        let hint = Some("give both the same `scope` and `lane`");
        s.problem("lookup", format!("is not read where `{of}` is"), hint);
    }
    let mut metrics = shows.metrics.iter();
    if !metrics.any(|metric| metric.labels.contains(label)) {
        let message = format!("collector `{of}` shows no label `{label}`");
        s.problem("lookup", message, None);
    }
}

/// The names under which two collectors would publish on one server.
fn names_in_both(one: &Collector, other: &Collector) -> Vec<Arc<str>> {
    let names = |collector: &Collector| -> Vec<(Arc<str>, (u32, u32))> {
        let metrics = collector.metrics.iter();
        metrics
            .flat_map(|metric| {
                let majors = collector.majors(metric);
                metric
                    .families(true)
                    .map(move |family| (family.name.clone(), majors))
            })
            .collect()
    };
    let others = names(other);
    let clash = |(name, (since, until)): &(Arc<str>, (u32, u32))| {
        let same = others.iter().filter(|(taken, _)| taken == name);
        same.into_iter()
            .any(|(_, (from, to))| since <= to && from <= until)
    };
    let mine = names(one).into_iter();
    mine.filter(clash).map(|(name, _)| name).collect()
}

#[cfg(test)]
mod tests;
