//! Backup sources: what was promised and what is there.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::facts::{elements, values};
use super::{Notice, Tone};
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
    /// What is wrong, a few words each.
    pub problems: Vec<String>,
}

/// Proofs from the strongest to the weakest.
const PROOFS: [(&str, &str); 4] = [
    ("restored", "restored in a drill"),
    ("summed", "read to its end, checksums right"),
    ("whole", "read to its end"),
    ("opened", "opened"),
];

/// What the `problem` labels mean.
const PROBLEMS: [(&str, &str); 15] = [
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
    ("tool_missing", "the tool cannot be run"),
    ("tool_failed", "the tool cannot tell of its backups"),
    ("tool_silent", "the tool does not answer"),
    ("answer_unreadable", "the tool's answer cannot be read"),
    ("answer_old", "the tool's answer is old"),
];

pub(super) fn backups(
    store: &Store,
    statuses: &[Status],
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
            problems: worded(&PROBLEMS, &named).map(str::to_owned).collect(),
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
