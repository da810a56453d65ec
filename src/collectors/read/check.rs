//! What can be wrong with a collector although each of its keys is right.

use crate::collectors::metric::{fill, placeholders};
use crate::collectors::plan::UNKNOWN;
use crate::collectors::settings::{PARAMETERS, refuse_zero};
use crate::collectors::{Collector, Lookup, Metric, Query, Scope};
use crate::document::Section;
use crate::sample::MetricKind;
use crate::server::Kind;

/// Labels that are set where samples enter the store.
const OWN_LABELS: [&str; 3] = ["server", "job", "instance"];

/// A collector's name is a label value, a key in the settings and a word on the command line.
pub(super) fn check_name(name: &str, s: &Section) {
    if !name.is_empty() && !is_word(name, "_") {
        s.problem(
            "name",
            format!("`{name}` may have only letters, digits and `_`"),
            None,
        );
    }
}

/// Versions must have one query each, and metrics a query that can answer them.
pub(super) fn check_collector(collector: &Collector, s: &Section) {
    check_queries(collector, s);
    if collector.kind == Kind::PgBouncer && collector.scope == Scope::Database {
        let hint = "leave `scope` out: the console of a PgBouncer shows all databases";
        s.problem("scope", "is for PostgreSQL only", Some(hint));
    }
    if collector.metrics.is_empty() {
        s.problem("metrics", "must have at least one metric", None);
    }
    check_lookup(collector, s);
    for metric in &collector.metrics {
        let name = &metric.family.name;
        if !collector.queries.is_empty()
            && !collector.queries.iter().any(|query| meet(metric, query))
        {
            s.problem(
                "metrics",
                format!("`{name}` is for versions that no query reads"),
                None,
            );
        }
        // Else the same series would come from each database.
        if collector.scope == Scope::Database
            && !metric.labels.iter().any(|label| **label == *"datname")
        {
            let hint =
                "add `current_database() AS datname` to the statement and `datname` to the labels";
            s.problem(
                "metrics",
                format!("`{name}` is read in every database and needs the label `datname`"),
                Some(hint),
            );
        }
    }
}

/// What evidence queries have in common with collectors.
pub(in crate::collectors) fn check_conditions(reads: &Collector, s: &Section) {
    check_name(&reads.name, s);
    check_queries(reads, s);
    let mut queries = reads.queries.iter();
    if queries.any(|query| query.sql.contains(UNKNOWN)) {
        s.problem("queries", "ask for values that nobody gives", None);
    }
}

/// Each version must have one query at most.
fn check_queries(collector: &Collector, s: &Section) {
    refuse_zero("timeout", collector.timeout, s);
    if collector.queries.is_empty() {
        s.problem("queries", "must have at least one query", None);
    }
    check_extension(collector, s);
    let mut in_order: Vec<&Query> = collector.queries.iter().collect();
    in_order.sort_by_key(|query| (&query.extension, query.since));
    for pair in in_order.windows(2) {
        if pair[0].extension == pair[1].extension
            && pair[0].until.is_none_or(|until| until >= pair[1].since)
        {
            let message = format!("two of them are for PostgreSQL {}", pair[1].since);
            s.problem("queries", message, Some("end the older one with `until`"));
        }
    }
}

/// What only an extension has cannot be named without one.
fn check_extension(collector: &Collector, s: &Section) {
    let named = |query: &Query| query.extension.is_some() || query.sql.contains("${extension}");
    if collector.extension.is_none() && collector.queries.iter().any(named) {
        let hint = Some("name it with `extension` beside `queries`");
        s.problem(
            "queries",
            "name an extension that the collector does not need",
            hint,
        );
    }
}

/// A lookup and the values it asks for belong together.
fn check_lookup(collector: &Collector, s: &Section) {
    let mut queries = collector.queries.iter();
    let Some(Lookup { label, .. }) = &collector.lookup else {
        if queries.any(|query| query.sql.contains(UNKNOWN)) {
            let hint = Some("say with `lookup` whose values they are");
            s.problem("queries", "ask for values that nobody gives", hint);
        }
        return;
    };
    if !queries.all(|query| query.sql.contains(UNKNOWN)) {
        let hint = Some("write for instance `WHERE id IN (${unknown})`");
        s.problem(
            "queries",
            "do not ask for the values that are looked up",
            hint,
        );
    }
    let mut metrics = collector.metrics.iter();
    if let Some(metric) = metrics.find(|metric| !metric.labels.contains(label)) {
        let name = &metric.family.name;
        let message = format!("`{name}` needs the label `{label}`, whose values are looked up");
        s.problem("metrics", message, None);
    }
}

fn meet(metric: &Metric, query: &Query) -> bool {
    metric.until.is_none_or(|until| query.since <= until)
        && query
            .until
            .is_none_or(|until| metric.since.unwrap_or_default() <= until)
}

/// A statement may name only settings that exist.
pub(super) fn check_parameters(sql: &str, s: &Section) {
    let named = sql
        .split("${")
        .skip(1)
        .filter_map(|rest| rest.split_once('}'));
    for (name, _) in named {
        if !PARAMETERS.contains(&name) && !["extension", "unknown"].contains(&name) {
            let known = format!(
                "there is `${{extension}}`, `${{{}}}`",
                PARAMETERS.join("}`, `${")
            );
            s.problem(
                "sql",
                format!("there is no setting `${{{name}}}`"),
                Some(&known),
            );
        }
    }
}

/// Names must be Prometheus' and not pgvigil's own.
pub(super) fn check_metric(metric: &Metric, s: &Section) {
    let name: &str = &metric.family.name;
    for alias in &metric.aliases {
        if !is_word(&alias.name, "_:") {
            s.problem(
                "aliases",
                format!("`{}` is no metric name", alias.name),
                None,
            );
        }
    }
    if metric.is_per_row() && !metric.aliases.is_empty() {
        let message = format!("`{name}` is made from the row and can have no older names");
        s.problem("aliases", message, None);
    }
    if !fill(name, |_| Some("x")).is_some_and(|filled| is_word(&filled, "_:")) {
        s.problem(
            "",
            format!(
                "`{name}` is no metric name: letters, digits, `_` and `:` only, and no digit first"
            ),
            None,
        );
    }
    if placeholders(name)
        .chain(placeholders(&metric.family.help))
        .any(str::is_empty)
    {
        s.problem("", "`{}` names no column", None);
    }
    for label in &metric.labels {
        let rename = Some("rename the column with AS");
        if !is_word(label, "_") {
            s.problem(
                "labels",
                format!(
                    "`{label}` is no label name: letters, digits and `_` only, and no digit first"
                ),
                rename,
            );
        } else if metric.family.kind == MetricKind::Histogram && **label == *"le" {
            s.problem("labels", "label `le` belongs to the buckets", rename);
        } else if OWN_LABELS.contains(&label.as_ref()) || label.starts_with("__") {
            s.problem(
                "labels",
                format!("label `{label}` is pgvigil's own"),
                rename,
            );
        }
    }
}

fn is_word(text: &str, beside: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || beside.contains(c))
}
