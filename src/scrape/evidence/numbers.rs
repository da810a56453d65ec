//! How often evidence was read, in vain, and how long it took.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::sample::{Metric, Sample};

pub(in crate::scrape) const READINGS: Metric = Metric::counter(
    "pgvigil_evidence_readings_total",
    "Readings of an evidence query, also those in vain.",
);
pub(in crate::scrape) const FAILURES: Metric = Metric::counter(
    "pgvigil_evidence_failures_total",
    "Readings of an evidence query that gave no answer.",
);
pub(in crate::scrape) const DURATION: Metric = Metric::counter(
    "pgvigil_evidence_duration_seconds_total",
    "Time that readings of an evidence query took, with waiting for a connection.",
);

#[derive(Debug, Default)]
struct Count {
    readings: u64,
    failures: u64,
    took: Duration,
}

/// The counts of every query and server. Every call locks for itself.
#[derive(Debug, Default)]
pub struct Readings(Mutex<BTreeMap<(String, String), Count>>);

impl Readings {
    /// Counts one reading.
    pub fn note(&self, server: &str, query: &str, took: Duration, failed: bool) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = all
            .entry((server.to_owned(), query.to_owned()))
            .or_default();
        count.readings += 1;
        count.failures += u64::from(failed);
        count.took += took;
    }

    /// The counts as metrics.
    pub fn samples(&self) -> Vec<Sample> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let each = all.iter().flat_map(|((server, query), count)| {
            let labels = [
                ("evidence_server", server.as_str()),
                ("query", query.as_str()),
            ];
            [
                READINGS.sample(&labels, count.readings as f64),
                FAILURES.sample(&labels, count.failures as f64),
                DURATION.sample(&labels, count.took.as_secs_f64()),
            ]
        });
        each.collect()
    }
}
