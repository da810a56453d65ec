//! The reference of the metrics that no collector gives, written from the declarations of the rooms that do.

use std::fmt::Write;

use crate::sample::{Metric, MetricKind};
use crate::{backup, scrape, telemetry, web};

/// Where a metric comes from that no collector gives, and what is to be known of it.
const OWN: [(&str, &str, &[Metric]); 4] = [
    ("Collecting", "How each source is read.", scrape::METRICS),
    (
        "Backups",
        "What each source of backups shows.",
        backup::METRICS,
    ),
    (
        "pgvigil itself",
        "The process and its rooms.",
        telemetry::METRICS,
    ),
    (
        "On the page alone",
        "Written anew into each answer of `/metrics`, and not in the store: Prometheus has them, pgvigil's own rules do not.",
        web::METRICS,
    ),
];

/// Markdown: every metric that no collector gives.
pub fn reference() -> String {
    let mut text = String::from(
        "# Metrics of pgvigil's own\n\nWhat no collector gives. Written from the declarations by `make docs`.\n",
    );
    for (heading, meaning, metrics) in OWN {
        let _ = writeln!(
            text,
            "\n## {heading}\n\n{meaning}\n\n| metric | type | meaning |\n| --- | --- | --- |"
        );
        for Metric { name, kind, help } in metrics {
            let kind = match kind {
                MetricKind::Counter => "counter",
                MetricKind::Gauge => "gauge",
                MetricKind::Unknown => "unknown",
            };
            let _ = writeln!(text, "| `{name}` | {kind} | {help} |");
        }
    }
    text
}
