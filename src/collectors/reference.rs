//! The metric reference, written from the declarations.

use std::fmt::Write;

use super::{Cadence, Collector, Metric, Scope, load};
use crate::document::format_duration;
use crate::sample::MetricKind;
use crate::server::Lane;

/// `docs/metrics.md`: a table for each built-in collector.
pub fn reference() -> String {
    let mut text = String::from(HEAD);
    for collector in load(&[]).unwrap_or_default() {
        section(&mut text, &collector);
    }
    text
}

const HEAD: &str = "# Metrics

Written from the collectors' files by `UPDATE_DOCS=1 cargo test`. An interval of `4x` is four times `collect.interval`.
A database that is NULL, or a fact that PostgreSQL does not know, is an absent series, never a zero.
";

fn section(text: &mut String, collector: &Collector) {
    let _ = write!(text, "\n## {}\n\n{}", collector.name, collector.doc);
    let _ = writeln!(text, " {}.", conditions(collector).join("; "));
    text.push_str("\n| metric | type | labels | unit | PostgreSQL | |\n| --- | --- | --- | --- | --- | --- |\n");
    for metric in &collector.metrics {
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | {} | {} | {} |",
            metric.family.name,
            kind(metric.family.kind),
            metric.labels.join(", "),
            metric.unit,
            versions(collector, metric),
            metric.family.help.replace('|', "\\|"),
        );
    }
}

fn conditions(collector: &Collector) -> Vec<String> {
    let interval = match collector.interval {
        Cadence::Times(times) => format!("{times}x"),
        Cadence::Every(interval) => format_duration(interval),
    };
    let scope = match (collector.scope, collector.lane) {
        (Scope::Database, _) => "in every database",
        (Scope::Server, Lane::Held) => "once per server",
        (Scope::Server, Lane::Visit) => "once per server, on the second connection",
    };
    let mut conditions = vec![format!("Read every {interval}, {scope}")];
    match collector.on {
        super::Role::Any => {}
        super::Role::Primary => conditions.push("on primaries".into()),
        super::Role::Standby => conditions.push("on standbys".into()),
    }
    conditions.extend(
        collector
            .extension
            .iter()
            .map(|name| format!("needs extension `{name}`")),
    );
    conditions.extend(
        collector
            .privilege
            .iter()
            .map(|privilege| format!("needs the role `{}`", privilege.role)),
    );
    if !collector.enabled {
        conditions.push("off by default".into());
    }
    conditions
}

fn kind(kind: MetricKind) -> &'static str {
    match kind {
        MetricKind::Counter => "counter",
        MetricKind::Gauge => "gauge",
        MetricKind::Unknown => "unknown",
    }
}

fn versions(collector: &Collector, metric: &Metric) -> String {
    let first = collector
        .queries
        .iter()
        .map(|query| query.since)
        .min()
        .unwrap_or_default();
    let last = collector
        .queries
        .iter()
        .map(|query| query.until.unwrap_or(u32::MAX))
        .max()
        .unwrap_or_default();
    let (since, until) = (
        metric.since.unwrap_or(first).max(first),
        metric.until.unwrap_or(last).min(last),
    );
    match until {
        u32::MAX => format!("{since}+"),
        until if until == since => format!("{since}"),
        until => format!("{since}–{until}"),
    }
}
