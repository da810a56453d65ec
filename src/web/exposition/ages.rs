//! The ages of all collectors: they move by themselves, so they are written anew into every answer.

use std::sync::Arc;

use crate::sample::{Family, Labels, MetricKind, Timestamp};
use crate::scrape::Status;

use super::families::Rows;

/// The one family that is not cached.
pub(super) const AGE: &str = "pgvigil_collector_age_seconds";

/// How long ago each source was last read in full; nothing for one that never was.
pub(super) fn ages(
    statuses: &[Status],
    server: Option<&str>,
    name_servers: bool,
    now: Timestamp,
) -> Rows {
    let wanted = statuses
        .iter()
        .filter(|status| server.is_none_or(|name| *status.source.server == *name));
    let rows = wanted.filter_map(|status| {
        let source = &status.source;
        let server = if name_servers { &*source.server } else { "" };
        let labels = Labels::new([
            ("collector", &*source.collector),
            ("database", &*source.database),
            ("server", server),
        ]);
        let age = now.since(status.last_success?);
        Some((labels, age.as_secs_f64()))
    });
    Rows {
        rows: rows.collect(),
        family: Arc::new(Family {
            name: AGE.into(),
            kind: MetricKind::Gauge,
            help: "Seconds since the collector's samples were last read in full.".into(),
        }),
    }
}
