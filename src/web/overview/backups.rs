//! Backup sources: what was promised and what is there.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::facts::values;
use super::{Notice, Tone};
use crate::promql::{Query, Value, instant};
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
    /// What is wrong, one sentence each.
    pub problems: Vec<String>,
}

/// Proofs from the strongest to the weakest.
const PROOFS: [(&str, &str); 4] = [
    ("restored", "restored in a drill"),
    ("summed", "read to its end, checksums right"),
    ("whole", "read to its end"),
    ("opened", "opened"),
];

pub(super) fn backups(
    store: &Store,
    statuses: &[Status],
    firing: &[Notice],
    now: Timestamp,
) -> Vec<Backup> {
    let read = |expression: &str| values(store, expression, "source", now);
    let newest = read("max by (source) (pg_backup_last_success_timestamp_seconds)");
    let promised = read("max by (source) (pg_backup_expected_interval_seconds)");
    let size = read("max by (source) (pg_backup_size_bytes)");
    let typical = read("max by (source) (pg_backup_typical_size_bytes)");
    let count = read(r#"sum by (source) (pg_backup_count{state="done"})"#);
    let failed = read("max by (source) (pg_backup_last_attempt_failed)");
    let proofs = proofs(store, now);
    let errors: BTreeMap<&str, &Status> = statuses
        .iter()
        .filter_map(|status| Some((status.source.collector.strip_prefix(PREFIX)?, status)))
        .collect();
    let names: BTreeSet<&str> = errors
        .keys()
        .copied()
        .chain(count.keys().map(String::as_str))
        .collect();
    let each = names.into_iter().map(|name| {
        let span = |of: &BTreeMap<String, f64>| {
            of.get(name)
                .and_then(|seconds| Duration::try_from_secs_f64(*seconds).ok())
        };
        let made = newest
            .get(name)
            .map(|seconds| Timestamp::from_seconds(*seconds));
        let words = |of: &BTreeMap<String, f64>| {
            of.get(name)
                .map(|size| words::bytes(*size))
                .unwrap_or_default()
        };
        let mut backup = Backup {
            name: name.to_owned(),
            tone: Tone::Good,
            age: made.map(|made| now.since(made)),
            promised: span(&promised),
            size: words(&size),
            typical_size: words(&typical),
            count: count.get(name).map(|count| *count as u64),
            proof: proof(&proofs, name, made),
            problems: Vec::new(),
        };
        let attempt_failed = failed.get(name).is_some_and(|failed| *failed > 0.0);
        backup.judge(
            errors.get(name).and_then(|status| status.error.as_deref()),
            attempt_failed,
            firing,
        );
        backup
    });
    each.collect()
}

impl Backup {
    fn judge(&mut self, error: Option<&str>, attempt_failed: bool, firing: &[Notice]) {
        let mut found = Vec::new();
        if let Some(error) = error {
            found.push((Tone::Warning, format!("cannot be looked at: {error}")));
        }
        if self.age.is_none() && self.count.is_some() {
            found.push((Tone::Critical, "there is no usable backup".into()));
        }
        if let (Some(age), Some(promised)) = (self.age, self.promised)
            && age > promised
        {
            let late = words::span(age.saturating_sub(promised));
            found.push((Tone::Warning, format!("the next one is {late} late")));
        }
        if attempt_failed {
            let problem = "the newest attempt failed or is damaged";
            found.push((Tone::Warning, problem.into()));
        }
        let unknown = self.age.is_none().then_some(Tone::Unknown);
        let about = |notice: &&Notice| {
            let mut labels = notice.labels.iter();
            labels.any(|(label, value)| label == "source" && *value == self.name)
        };
        let alerts = firing.iter().filter(about).map(|notice| notice.tone);
        let tones = found
            .iter()
            .map(|(tone, _)| *tone)
            .chain(alerts)
            .chain(unknown);
        self.tone = tones.max().unwrap_or(Tone::Good);
        self.problems = found.into_iter().map(|(_, problem)| problem).collect();
    }
}

fn proofs(store: &Store, now: Timestamp) -> BTreeMap<(String, String), Timestamp> {
    let query = Query::parse("max by (source, proof) (pg_backup_proof_timestamp_seconds) > 0").ok();
    let value = query.and_then(|query| instant(&query, store, now).ok());
    let Some(Value::Vector(elements)) = value else {
        return BTreeMap::new();
    };
    let each = elements.iter().map(|element| {
        let labels = (
            element.labels.get("source").to_owned(),
            element.labels.get("proof").to_owned(),
        );
        (labels, Timestamp::from_seconds(element.value))
    });
    each.collect()
}

/// The strongest proof that reaches up to the newest backup.
fn proof(
    proofs: &BTreeMap<(String, String), Timestamp>,
    source: &str,
    newest: Option<Timestamp>,
) -> &'static str {
    let holds = |name: &str| {
        let proved = proofs.get(&(source.to_owned(), name.to_owned()));
        proved
            .zip(newest)
            .is_some_and(|(proved, newest)| *proved >= newest)
    };
    let mut strongest = PROOFS.iter().filter(|(name, _)| holds(name));
    strongest.next().map_or("", |(_, words)| words)
}
