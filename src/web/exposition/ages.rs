//! The ages of all collectors: they move by themselves, so they are written anew into every answer.

use crate::sample::{Metric, Sample, Timestamp};
use crate::scrape::Status;

/// The one family that is not cached.
pub(super) const AGE: Metric = Metric::gauge(
    "pgvigil_collector_age_seconds",
    "Seconds since the collector's samples were last read in full.",
);

/// How long ago each source was last read in full; nothing for one that never was.
pub(super) fn ages(
    statuses: &[Status],
    server: Option<&str>,
    name_servers: bool,
    now: Timestamp,
) -> Vec<Sample> {
    let wanted = statuses
        .iter()
        .filter(|status| server.is_none_or(|name| *status.source.server == *name));
    let each = wanted.filter_map(|status| {
        let source = &status.source;
        let server = if name_servers { &*source.server } else { "" };
        let labels = [
            ("collector", &*source.collector),
            ("database", &*source.database),
            ("server", server),
        ];
        let age = now.since(status.last_success?);
        Some(AGE.sample(&labels, age.as_secs_f64()))
    });
    each.collect()
}
