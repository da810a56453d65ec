//! Indexes that cost more than they give.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Desk, Finding, Topic, finding, identifier};
use crate::promql::Element;
use crate::sample::Timestamp;
use crate::web::overview::Tone;
use crate::web::words;

/// Smaller ones cost nothing worth a thought.
const SMALL: f64 = 1_048_576.0;

/// What was not counted for so long says little: the job at the end of the month has not run yet.
const LONG: Duration = Duration::from_secs(31 * 86_400);

pub(super) fn unused(desk: &Desk) -> Topic {
    let all = desk.elements("sort_desc(pg_unused_index_size_bytes)");
    let (large, small): (Vec<Element>, Vec<Element>) =
        all.into_iter().partition(|element| element.value >= SMALL);
    let since = desk.elements("pg_unused_indexes_since_timestamp_seconds");
    let since: BTreeMap<_, _> = since.iter().map(|one| (place(one), one.value)).collect();
    let standbys = desk.elements("pg_replication_is_replica == 1");
    let standbys: Vec<&str> = standbys
        .iter()
        .map(|one| one.labels.get("instance"))
        .collect();
    let findings = large.iter().map(|element| {
        let counted = since.get(&place(element)).copied();
        let counted = counted.map(Timestamp::from_seconds);
        let mut what = format!("{}, never scanned", words::bytes(element.value));
        match counted.map(|from| desk.now.since(from)) {
            Some(long) if long >= LONG => what.push_str(&format!(" in {}", words::span(long))),
            Some(short) => what.push_str(&format!(
                ", but scans are counted for {} only",
                words::span(short)
            )),
            None => what.push_str(" since the server counts"),
        }
        let standby = standbys.contains(&element.labels.get("instance"));
        if standby {
            what.push_str("; this is a standby: ask its primary, and drop it there");
        }
        Finding {
            what,
            statement: if standby {
                String::new()
            } else {
                format!("DROP INDEX CONCURRENTLY {};", index(element))
            },
            ..finding(element)
        }
    });
    Topic {
        id: "unused",
        title: "Unused indexes",
        meaning: "No query on this server has used them, yet every write keeps them up and every backup carries them.",
        doubt: "Scans are counted on each server for itself and only since its statistics were reset: a standby, or a job that runs once a quarter, may need the index. Look on all standbys first, and keep the definition (pg_get_indexdef) to make it anew.",
        findings: findings.collect(),
        calm: match small.len() {
            0 => String::new(),
            count => format!("{count} more under 1 MiB are not listed."),
        },
        unknown: desk.unknown("unused_indexes"),
        ..Topic::default()
    }
}

pub(super) fn duplicate(desk: &Desk) -> Topic {
    let all = desk.elements("pg_index_duplicate == 1");
    let findings = all.iter().map(|element| Finding {
        what: format!("the same as {}", element.labels.get("instead")),
        tone: Tone::Warning,
        statement: format!("DROP INDEX CONCURRENTLY {};", index(element)),
        ..finding(element)
    });
    Topic {
        id: "duplicate",
        title: "Duplicate indexes",
        meaning: "Another index of the same table has the same columns, order and conditions: one of the two only costs.",
        doubt: "An index that belongs to a constraint goes with ALTER TABLE … DROP CONSTRAINT only. Queries that name the index in a hint (pg_hint_plan) would miss it.",
        findings: findings.collect(),
        unknown: desk.unknown("index_faults"),
        ..Topic::default()
    }
}

pub(super) fn redundant(desk: &Desk) -> Topic {
    let all = desk.elements("pg_index_redundant == 1");
    let findings = all.iter().map(|element| Finding {
        what: format!("{} begins with its columns", element.labels.get("instead")),
        statement: format!("DROP INDEX CONCURRENTLY {};", index(element)),
        ..finding(element)
    });
    Topic {
        id: "redundant",
        title: "Redundant indexes",
        meaning: "A longer index begins with the same columns and can serve the same searches.",
        doubt: "Where the short one is much smaller it may stay in memory when the long one does not: compare their sizes and scans before dropping it.",
        findings: findings.collect(),
        unknown: desk.unknown("index_faults"),
        ..Topic::default()
    }
}

pub(super) fn invalid(desk: &Desk) -> Topic {
    let all = desk.elements("pg_index_invalid == 1");
    let findings = all.iter().map(|element| Finding {
        what: "invalid: kept up by every write, used by no query".into(),
        tone: Tone::Warning,
        statement: if is_leftover(element.labels.get("indexrelname")) {
            format!("DROP INDEX CONCURRENTLY {};", index(element))
        } else {
            format!("REINDEX INDEX CONCURRENTLY {};", index(element))
        },
        ..finding(element)
    });
    Topic {
        id: "invalid",
        title: "Invalid indexes",
        meaning: "CREATE INDEX CONCURRENTLY or REINDEX CONCURRENTLY failed half-way and left them behind.",
        doubt: "One that is being built right now is left out. If it was meant to be unique, duplicates in the table may be why it failed: they have to go first.",
        findings: findings.collect(),
        unknown: desk.unknown("index_faults"),
        ..Topic::default()
    }
}

/// Whether REINDEX CONCURRENTLY made it beside the one it was to replace.
fn is_leftover(name: &str) -> bool {
    let name = name.trim_end_matches(|c: char| c.is_ascii_digit());
    name.ends_with("_ccnew") || name.ends_with("_ccold")
}

fn index(element: &Element) -> String {
    let label = |name: &str| identifier(element.labels.get(name));
    format!("{}.{}", label("schemaname"), label("indexrelname"))
}

fn place(element: &Element) -> (String, String) {
    let label = |name: &str| element.labels.get(name).to_owned();
    (label("instance"), label("datname"))
}
