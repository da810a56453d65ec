//! What the rows that a collector does not show come to, as samples: gauges, for a row that is shown again takes its
//! part away.

use crate::collectors::Rest;
use crate::sample::{Metric, Sample, Source};

pub(super) const REST: Metric = Metric::gauge(
    "pgvigil_collector_rest",
    "What the rows left out by the collector's choice of the largest come to in a metric; absent when none was left out.",
);
pub(super) const REST_ROWS: Metric = Metric::gauge(
    "pgvigil_collector_rest_rows",
    "Rows left out by the collector's choice of the largest; absent when none was left out.",
);

/// The samples for one source.
pub(super) fn samples(source: &Source, rest: &Rest) -> Vec<Sample> {
    let labels = [
        ("collector", &*source.collector),
        ("database", &*source.database),
    ];
    let values = rest.values.iter().map(|(metric, value)| {
        let [collector, database] = labels;
        REST.sample(&[collector, database, ("metric", metric)], *value)
    });
    values
        .chain([REST_ROWS.sample(&labels, rest.rows as f64)])
        .collect()
}
