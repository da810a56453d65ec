//! The ages of all collectors: they move by themselves, so they are written anew into every answer.

use std::collections::BTreeSet;

use crate::sample::{Labels, Metric, Source, Timestamp};

/// The one family that is not cached.
pub(super) const AGE: Metric = Metric::gauge(
    "pgvigil_collector_age_seconds",
    "Seconds since the collector's samples were last read in full.",
);

/// How long ago each source was last read in full. A server and its PgBouncer have sources of the same name, which are
/// told apart also where no other series need be.
pub(super) fn ages(
    successes: &[(Source, Timestamp)],
    name_servers: bool,
    now: Timestamp,
) -> Vec<(Labels, f64)> {
    let servers = successes.iter().map(|(source, _)| &source.server);
    let servers: BTreeSet<_> = servers.filter(|server| !server.is_empty()).collect();
    let name_servers = name_servers || servers.len() > 1;
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
