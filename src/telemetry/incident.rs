//! What the incident log tells of itself.

use crate::incident::Ledger;
use crate::sample::{Metric, Sample};

pub(super) const WRITABLE: Metric = Metric::gauge(
    "pgvigil_incident_log_writable",
    "Whether the incident log could be written at the last try.",
);
pub(super) const BYTES: Metric =
    Metric::gauge("pgvigil_incident_log_bytes", "Size of the incident log.");
pub(super) const APPENDS: Metric = Metric::counter(
    "pgvigil_incident_log_appends_total",
    "How often events were added to the incident log.",
);
pub(super) const APPENDING: Metric = Metric::counter(
    "pgvigil_incident_log_append_seconds_total",
    "How long adding events to the incident log took in all, the wait for the disk included.",
);
pub(super) const COMPACTIONS: Metric = Metric::counter(
    "pgvigil_incident_log_compactions_total",
    "How often the incident log was made small.",
);
pub(super) const FAILURES: Metric = Metric::counter(
    "pgvigil_incident_log_failures_total",
    "How often the incident log could not be written, or not be made small.",
);

/// How the log is doing.
pub(super) fn log(ledger: &Ledger) -> Vec<Sample> {
    let figures = ledger.figures();
    vec![
        WRITABLE.sample(&[], f64::from(u8::from(ledger.healthy()))),
        BYTES.sample(&[], figures.bytes as f64),
        APPENDS.sample(&[], figures.appends as f64),
        APPENDING.sample(&[], figures.appending.as_secs_f64()),
        COMPACTIONS.sample(&[], figures.compactions as f64),
        FAILURES.sample(&[], figures.failures as f64),
    ]
}
