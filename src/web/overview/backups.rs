//! Backup sources: what was promised and what is there.

mod details;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::facts::{elements, values};
use super::{Notice, Tone};
use crate::backup::Brief;
use crate::sample::Timestamp;
use crate::scrape::Status;
use crate::store::Store;
use crate::web::words;

/// What a collector's name begins with when it is a backup source.
const PREFIX: &str = "backup:";

/// One backup source.
#[derive(Debug, Clone, PartialEq)]
pub struct Backup {
    /// Its configured name.
    pub name: String,
    /// The colour of the whole.
    pub tone: Tone,
    /// How old the newest usable one is; `None` when there is none.
    pub age: Option<Duration>,
    /// For how long the oldest unfinished one has been there; `None` when there is none.
    pub running: Option<Duration>,
    /// How often one was promised.
    pub promised: Option<Duration>,
    /// The size of the newest; empty when unknown.
    pub size: String,
    /// What the ones before it had; empty when there are too few.
    pub typical_size: String,
    /// How many usable ones are kept.
    pub count: Option<u64>,
    /// The strongest proof that the newest has, in words; empty when it has none.
    pub proof: &'static str,
    /// How old the newest of each kind is, where there are several kinds: `full 3 d 2 h`.
    pub kinds: Vec<String>,
    /// The oldest and the newest moment that can be restored.
    pub window: Option<(Timestamp, Timestamp)>,
    /// When the room is used up, where it grows so.
    pub full_in: Option<Duration>,
    /// What is wrong, a few words each.
    pub problems: Vec<String>,
    /// The same with names, a sentence each.
    pub details: Vec<String>,
}

/// Proofs from the strongest to the weakest.
const PROOFS: [(&str, &str); 4] = [
    ("restored", "restored in a drill"),
    ("summed", "read to its end, checksums right"),
    ("whole", "read to its end"),
    ("opened", "opened"),
];

/// What the `problem` labels mean.
const PROBLEMS: [(&str, &str); 18] = [
    ("folder_missing", "the folder does not exist"),
    ("folder_unreadable", "the folder cannot be read"),
    ("folder_empty", "there is no backup in the folder"),
    ("empty", "the newest is empty: 0 bytes"),
    ("nothing_inside", "the newest has nothing inside"),
    ("half_written", "the newest was never finished"),
    ("truncated", "the newest is cut off"),
    ("corrupt", "the newest is damaged"),
    ("not_a_dump", "the newest is no dump"),
    ("unreadable", "the newest cannot be read"),
    ("wal_missing", "the newest lacks WAL that it needs"),
    (
        "parent_missing",
        "the newest lacks the backup that it builds on",
    ),
    ("rows_missing", "the newest holds fewer rows than it must"),
    ("tool_missing", "the tool cannot be run"),
    ("tool_failed", "the tool cannot tell of its backups"),
    ("tool_silent", "the tool does not answer"),
    ("answer_unreadable", "the tool's answer cannot be read"),
    ("answer_old", "the tool's answer is old"),
];

/// What else is wrong, by an expression that holds then.
const FAULTS: [(&str, &str); 9] = [
    (
        r#"pg_backup_last_attempt_failed{state="failed"} == 1"#,
        "the last one failed",
    ),
    (
        "pg_backup_foreign == 1",
        "the newest is of another database",
    ),
    (
        "pg_backup_retention_short == 1 or pg_backup_vanished > 0",
        "they go earlier than promised",
    ),
    (
        "pg_backup_uncopied > 0",
        "some of the original are not here",
    ),
    (
        "pg_backup_complaints > 0",
        "fault is found with the place itself",
    ),
    (
        "pg_backup_wal_missing_segments > 0",
        "segments of WAL are missing",
    ),
    (
        "pg_backup_wal_short_segments > 0",
        "segments of WAL are too short",
    ),
    (
        "pg_backup_wal_behind_segments > 1",
        "WAL that was archived is not here",
    ),
    (
        "pg_backup_recovery_point_least_age_seconds > pg_backup_recovery_point_objective_seconds",
        "more would be lost than was promised",
    ),
];

pub(super) fn backups(
    store: &Store,
    statuses: &[Status],
    briefs: &[Brief],
    firing: &[Notice],
    now: Timestamp,
) -> Vec<Backup> {
    let read = |expression: &str| values(store, expression, "source", now);
    let newest = read("max by (source) (pg_backup_last_success_timestamp_seconds)");
    let running = read("max by (source) (pg_backup_running_since_timestamp_seconds)");
    let promised = read("max by (source) (pg_backup_expected_interval_seconds)");
    let grace = read("max by (source) (pg_backup_expected_grace_seconds)");
    let size = read("max by (source) (pg_backup_size_bytes)");
    let typical = read("max by (source) (pg_backup_typical_size_bytes)");
    let count = read(r#"sum by (source) (pg_backup_count{state="done"})"#);
    let start = read("max by (source) (pg_backup_recovery_window_start_timestamp_seconds) > 0");
    let end = read("max by (source) (pg_backup_recovery_window_end_timestamp_seconds) > 0");
    let full_in = read("min by (source) (pg_backup_full_in_seconds)");
    let of_kinds = elements(
        store,
        "max by (source, kind) (pg_backup_last_success_timestamp_seconds)",
        now,
    );
    let faults = FAULTS.map(|(expression, words)| (read(expression), words));
    let proofs = elements(
        store,
        "max by (source, proof) (pg_backup_proof_timestamp_seconds) > 0",
        now,
    );
    let problems = elements(store, "pg_backup_problem == 1", now);
    let declared = statuses
        .iter()
        .filter_map(|status| status.source.collector.strip_prefix(PREFIX));
    let names: BTreeSet<&str> = declared
        .chain(promised.keys().map(String::as_str))
        .collect();
    let each = names.into_iter().map(|name| {
        let of_name = |label: &str| label == name;
        let span = |of: &BTreeMap<String, f64>| {
            Some(Duration::try_from_secs_f64(*of.get(name)?).unwrap_or_default())
        };
        let bytes = |of: &BTreeMap<String, f64>| {
            of.get(name)
                .map(|size| words::bytes(*size))
                .unwrap_or_default()
        };
        let made = newest
            .get(name)
            .map(|seconds| Timestamp::from_seconds(*seconds));
        let proved = proofs.iter().filter(|element| {
            let reaches = made.is_some_and(|made| Timestamp::from_seconds(element.value) >= made);
            reaches && of_name(element.labels.get("source"))
        });
        let proved: Vec<&str> = proved.map(|element| element.labels.get("proof")).collect();
        let named = problems
            .iter()
            .filter(|element| of_name(element.labels.get("source")));
        let named: Vec<&str> = named.map(|element| element.labels.get("problem")).collect();
        let brief = briefs
            .iter()
            .find(|brief| brief.record.settings.name == name);
        let moment =
            |of: &BTreeMap<String, f64>| of.get(name).copied().map(Timestamp::from_seconds);
        let kinds = of_kinds
            .iter()
            .filter(|element| of_name(element.labels.get("source")));
        let kinds: Vec<String> = kinds
            .map(|element| {
                let age = now.since(Timestamp::from_seconds(element.value));
                format!("{} {}", element.labels.get("kind"), words::span(age))
            })
            .collect();
        let told = worded(&PROBLEMS, &named);
        let faulty = faults
            .iter()
            .filter(|(sources, _)| sources.contains_key(name));
        let mut backup = Backup {
            name: name.to_owned(),
            tone: Tone::Unknown,
            age: made.map(|made| now.since(made)),
            running: running
                .get(name)
                .map(|since| now.since(Timestamp::from_seconds(*since))),
            promised: span(&promised),
            size: bytes(&size),
            typical_size: bytes(&typical),
            count: count.get(name).map(|count| *count as u64),
            proof: worded(&PROOFS, &proved).next().unwrap_or_default(),
            kinds: if kinds.len() > 1 { kinds } else { Vec::new() },
            window: moment(&start).zip(moment(&end)),
            full_in: span(&full_in),
            problems: told
                .chain(faulty.map(|(_, words)| *words))
                .map(str::to_owned)
                .collect(),
            details: brief
                .map(|brief| details::details(&brief.record.facts))
                .unwrap_or_default(),
        };
        backup.judge(span(&grace).unwrap_or_default(), firing);
        backup
    });
    each.collect()
}

impl Backup {
    fn judge(&mut self, grace: Duration, firing: &[Notice]) {
        if let (Some(age), Some(promised)) = (self.age, self.promised)
            && age > promised + grace
        {
            let late = words::span(age.saturating_sub(promised));
            self.problems.push(format!("the next one is {late} late"));
        }
        if self.count == Some(0) && self.running.is_none() && self.problems.is_empty() {
            self.problems.push("there is no usable backup".into());
        }
        let about = |notice: &&Notice| {
            let mut labels = notice.labels.iter();
            labels.any(|(label, value)| label == "source" && *value == self.name)
        };
        let own = match (self.problems.is_empty(), self.age) {
            (false, None) => Tone::Critical,
            (false, Some(_)) => Tone::Warning,
            (true, None) => Tone::Unknown,
            (true, Some(_)) => Tone::Good,
        };
        let alerts = firing.iter().filter(about).map(|notice| notice.tone);
        self.tone = alerts.fold(own, Tone::max);
    }
}

/// The words for the labels that are among `named`, in the order of the table.
fn worded<'t>(
    table: &'t [(&str, &'static str)],
    named: &'t [&str],
) -> impl Iterator<Item = &'static str> + 't {
    let known = table.iter().filter(|(label, _)| named.contains(label));
    known.map(|(_, words)| *words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backup::{Obstacle, Trouble};
    use crate::document::{Reader, parse};
    use crate::rules;

    #[test]
    fn every_problem_has_words() {
        let troubles = Trouble::ALL.map(Trouble::label);
        for label in troubles.into_iter().chain(Obstacle::PROBLEMS) {
            assert_eq!(worded(&PROBLEMS, &[label]).count(), 1, "{label}");
        }
    }

    /// What the page calls a fault is what a rule alerts of.
    #[test]
    fn every_fault_is_told_by_a_rule() {
        let settings =
            Reader::new(None).read(&parse("x.yml", "{}").unwrap(), rules::Settings::read);
        let set = rules::load(&settings).unwrap();
        let rules = || set.groups.iter().flat_map(|group| &group.rules);
        for part in FAULTS
            .iter()
            .flat_map(|(expression, _)| expression.split(" or "))
        {
            let (selector, comparison) = part.split_once(' ').unwrap();
            let grouped = format!("({selector}) {comparison}");
            let tells = |text: &str| text.contains(part) || text.contains(&grouped);
            assert!(rules().any(|rule| tells(rule.query.text())), "{part}");
        }
    }
}
