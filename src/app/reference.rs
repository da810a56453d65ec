//! The metrics that no collector gives, from the declarations of the rooms that do: their reference, and the names that
//! rules may select.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::Arc;

use crate::collectors::{self, Collector};
use crate::sample::{Metric, MetricKind};
use crate::{backup, notify, patroni, remote_write, rules, scrape, telemetry, web};

/// Where metrics come from that no collector gives, and what is to be known of them.
type Chapter = (&'static str, &'static str, &'static [Metric]);

/// Those that are in the store, where rules find them.
const STORED: [Chapter; 9] = [
    ("Collecting", "How each source is read.", scrape::METRICS),
    (
        "Patroni",
        "What the REST API of each of `patronis` tells, read every `collect.interval`.",
        patroni::METRICS,
    ),
    (
        "Backups",
        "What each source of backups shows.",
        backup::METRICS,
    ),
    (
        "Recovery point",
        "What would be lost with each server, by its own account and by each source of backups.",
        backup::EXPOSURE_METRICS,
    ),
    (
        "pgvigil itself",
        "The process and its rooms.",
        telemetry::METRICS,
    ),
    (
        "Notifications",
        "How delivery to each address of each receiver is going, and the way to it.",
        notify::METRICS,
    ),
    (
        "Rules",
        "What is wrong with rules: there is a series only for a rule that has such trouble.",
        rules::METRICS,
    ),
    (
        "Queries",
        "The expressions that clients of the API have evaluated.",
        web::api::METRICS,
    ),
    (
        "Remote write",
        "What became of the samples of each of `remote_write`; `remote_name` is its name.",
        remote_write::METRICS,
    ),
];

const ON_THE_PAGE: Chapter = (
    "On the page alone",
    "Written anew into each answer of `/metrics`, and not in the store: Prometheus has them, pgvigil's own rules do not.",
    web::METRICS,
);

/// Every metric that a rule may select: those of the collectors, with their older names where these are published, and
/// those of the rooms.
pub fn selectable_metrics(catalogue: &[Arc<Collector>], aliases: bool) -> BTreeSet<String> {
    let published = catalogue.iter();
    let collected = published
        .filter(|collector| aliases || !collector.alias)
        .flat_map(|collector| &collector.metrics)
        .flat_map(|metric| metric.families(aliases));
    let own = STORED.into_iter().flat_map(|(_, _, metrics)| metrics);
    collected
        .map(|family| family.name.to_string())
        .chain(own.map(|metric| metric.name.to_owned()))
        .collect()
}

/// Labels that are empty on some series: facts of sessions that not every session has.
const OFTEN_EMPTY: [&str; 14] = [
    "state",
    "usename",
    "application_name",
    "backend_type",
    "wait_event_type",
    "wait_event",
    "client_addr",
    "datname",
    "database",
    "leader",
    "user",
    "mode",
    "reason",
    "rolname",
];

/// What is known of every metric that a rule may select; for rules that a Prometheus evaluates, targets may have labels
/// that it gives them. The labels of what no collector gives are not known, nor are they all sure to be there on
/// what a user's own collector gives.
pub fn schema(catalogue: &[Arc<Collector>], aliases: bool, for_prometheus: bool) -> rules::Schema {
    let mut schema = rules::Schema::new(for_prometheus);
    let published = catalogue
        .iter()
        .filter(|collector| aliases || !collector.alias);
    for collector in published {
        let built_in = collectors::is_built_in(&collector.name);
        for metric in &collector.metrics {
            let labels = metric.labels.iter().map(|label| {
                let full = built_in && !OFTEN_EMPTY.contains(&&**label);
                (&**label, full)
            });
            let labels: Vec<(&str, bool)> = labels
                .chain(metric.le.iter().map(|_| ("le", true)))
                .collect();
            for family in metric.families(aliases) {
                schema.add(&family.name, family.kind, Some(&labels));
            }
        }
    }
    for metric in STORED.into_iter().flat_map(|(_, _, metrics)| metrics) {
        schema.add(metric.name, metric.kind, None);
    }
    schema
}

/// Markdown: every metric that no collector gives.
pub fn reference() -> String {
    let mut text = String::from(
        "# Metrics of pgvigil's own\n\nWhat no collector gives. Written from the declarations by `make docs`.\n",
    );
    for (heading, meaning, metrics) in STORED.into_iter().chain([ON_THE_PAGE]) {
        let _ = writeln!(
            text,
            "\n## {heading}\n\n{meaning}\n\n| metric | type | meaning |\n| --- | --- | --- |"
        );
        for Metric { name, kind, help } in metrics {
            let kind = match kind {
                MetricKind::Counter => "counter",
                MetricKind::Gauge => "gauge",
                MetricKind::Histogram => "histogram",
                MetricKind::Unknown => "unknown",
            };
            let _ = writeln!(text, "| `{name}` | {kind} | {help} |");
        }
    }
    text
}
