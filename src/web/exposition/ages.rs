//! The ages of all collectors: they move by themselves, so they are written anew into every answer.

use crate::sample::{Labels, Metric, Source, Timestamp};

/// The one family that is not cached.
pub(super) const AGE: Metric = Metric::gauge(
    "pgvigil_collector_age_seconds",
    "Seconds since the collector's samples were last read in full.",
);

/// How long ago each source was last read in full.
pub(super) fn ages(
    successes: &[(Source, Timestamp)],
    name_servers: bool,
    now: Timestamp,
) -> Vec<(Labels, f64)> {
    let each = successes.iter().map(|(source, success)| {
        let server = if name_servers { &*source.server } else { "" };
        let labels = [
            ("collector", &*source.collector),
            ("database", &*source.database),
            ("server", server),
        ];
        (Labels::new(labels), now.since(*success).as_secs_f64())
    });
    each.collect()
}
