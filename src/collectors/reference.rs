//! The metric reference, written from the declarations.

use std::fmt::Write;

use super::evidence::evidence_query;
use super::{
    Cadence, Collector, Lookup, Metric, Needs, Role, Scope, Top, load, load_evidence, read,
};
use crate::document::{Declaration, Reader, format_duration};
use crate::sample::{Family, MetricKind};
use crate::server::{Kind, Lane};

/// `docs/metrics.md`: a table for each built-in collector, and the format of a user's own.
pub fn reference() -> String {
    let mut text = String::from(HEAD);
    for collector in load(&[]).unwrap_or_default() {
        section(&mut text, &collector);
    }
    text.push_str(FORMAT);
    keys(&mut text, Reader::describe(|s| drop(read::collector(s))));
    text.push_str(EVIDENCE);
    for query in load_evidence(&[]).unwrap_or_default() {
        let place = match query.reads.scope {
            Scope::Server => "server",
            Scope::Database => "database",
        };
        let _ = writeln!(
            text,
            "| `{}` | {place} | {} |",
            query.name(),
            query.reads.doc
        );
    }
    text.push_str(EVIDENCE_FORMAT);
    keys(&mut text, Reader::describe(|s| drop(evidence_query(s))));
    text
}

fn keys(text: &mut String, keys: Vec<Declaration>) {
    for key in keys {
        let default = if key.default.is_empty() {
            String::new()
        } else {
            format!("`{}`", key.default)
        };
        let _ = writeln!(
            text,
            "| `{}` | {} | {default} | {} |",
            key.path, key.kind, key.doc
        );
    }
}

const EVIDENCE: &str = "
## Evidence

What is read when an incident opens and shown in its messages and on the page. A rule names queries in its annotation
`evidence`, with commas or spaces between them; they are read from the server that the alert's labels or its samples
name, and those of a database in the one that its label `datname` names. Statements in them are shown as
`servers[].evidence.query_text` says, and `collect.disable` turns a query off.

| evidence | read in | |
| --- | --- | --- |
";

const EVIDENCE_FORMAT: &str = "
### Evidence of your own

One YAML file each, also named in `collect.include`. The columns of the statement, a single SELECT, are shown in their
order under their names. At most two seconds are waited for it.

```yaml
kind: evidence
name: failed_jobs
doc: Jobs that failed within the last hour.
title: Failed jobs
scope: database
queries:
  - sql: SELECT queue, count(*) AS failed FROM app.jobs WHERE failed_at > now() - interval '1 hour' GROUP BY queue
```

| key | value | default | |
| --- | --- | --- | --- |
";

const HEAD: &str = "# Metrics

The built-in collectors and what they publish. What PostgreSQL answers with NULL is an absent series, never a zero.
Written from the collectors' files: `UPDATE_DOCS=1 cargo test --test it collectors`.
";

const FORMAT: &str = "
## Collectors of your own

One YAML file each, named in `collect.include`, in the format of the built-in ones. In a statement `${long_query}`
stands for `collect.long_query` in seconds, and `${extension}` for the schema of the collector's extension, quoted: its
functions are wherever it was put. In the name and `help` of a metric `{column}` stands for the text of a column, so
that each row has a metric of its own. A value is a number, a boolean (0 or 1), or a date or time, which becomes Unix
seconds. A collector of `kind: pgbouncer` has a `SHOW` command for a statement.

`type: histogram` takes several columns: `{type: histogram, buckets: {'1': to_1, '5': to_5}, sum: seconds, count: calls,
help: …}`, where each bucket counts all values that are not above its bound.

`extension` beside the queries names what must be installed; `extension: '1.8'` in one of several queries for one server
says from which version of it on that one is to be taken.

`top: {by: [size, scans], rows: 100}` is for answers that may grow long. Of more rows than there is room for, those with
the largest values of each of these columns are shown, the first column filling what is left; a row that was shown stays
until it is a quarter past its share, so that the series do not come and go. The others are summed up as `rest` says, in
`pgvigil_collector_rest`. Rows in which all these columns are NULL are always shown, and the statement needs no limit.

`lookup: {of: statements, label: queryid}` is for what belongs to a value and does not change, such as the text of a
statement: `${unknown}` stands for the values of that label which the other collector shows and which have not been read
yet. Nothing is run when there are none, and what was read is kept for as long as the value is shown.

```yaml
name: jobs
doc: The queue of background jobs.
scope: database
interval: 2x
labels: [datname, queue]
queries:
  - sql: |
      SELECT current_database() AS datname, queue, count(*) AS waiting
      FROM app.jobs
      WHERE started_at IS NULL
      GROUP BY queue
metrics:
  app_jobs_waiting: {from: waiting, unit: jobs, help: Jobs that wait for a worker.}
```

| key | value | default | |
| --- | --- | --- | --- |
";

fn section(text: &mut String, collector: &Collector) {
    let _ = write!(text, "\n## {}\n\n{}", collector.name, collector.doc);
    let _ = writeln!(text, " {}.", conditions(collector).join("; "));
    let _ = writeln!(
        text,
        "\n| metric | type | labels | unit | {} | |\n| --- | --- | --- | --- | --- | --- |",
        collector.kind.name()
    );
    // Of a histogram the count speaks for all its parts.
    let is_part =
        |family: &Family| family.kind == MetricKind::Histogram && !family.name.ends_with("_count");
    let metrics = collector.metrics.iter();
    for metric in metrics.filter(|metric| !is_part(&metric.family)) {
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | {} | {} | {} |",
            metric.family.head(),
            kind(metric.family.kind),
            metric.labels.join(", "),
            metric.unit,
            versions(collector, metric),
            meaning(metric),
        );
    }
}

fn meaning(metric: &Metric) -> String {
    let help = metric.family.help.replace('|', "\\|");
    let older: Vec<String> = metric
        .aliases
        .iter()
        .map(|family| format!("`{}`", family.head()))
        .collect();
    match older.as_slice() {
        [] => help,
        names => format!("{help} With `collect.aliases` also {}.", names.join(", ")),
    }
}

fn conditions(collector: &Collector) -> Vec<String> {
    let interval = match collector.interval {
        Cadence::Times(1) => "`collect.interval`".into(),
        Cadence::Times(times) => format!("{times} × `collect.interval`"),
        Cadence::Every(interval) => format_duration(interval),
    };
    let scope = match (collector.kind, collector.scope, collector.lane) {
        (Kind::PgBouncer, ..) => "from each of `pgbouncers`",
        (_, Scope::Database, _) => "in every database",
        (_, Scope::Server, Lane::Held) => "once per server",
        (_, Scope::Server, Lane::Visit) => "once per server, on the second connection",
        (_, Scope::Server, Lane::Plain) => {
            "once per server, on the second connection opened without options"
        }
    };
    let mut conditions = vec![format!("Read every {interval}, {scope}")];
    match collector.on {
        Role::Any => {}
        Role::Primary => conditions.push("on primaries".into()),
        Role::Standby => conditions.push("on standbys".into()),
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
            .map(|privilege| match &privilege.needs {
                Needs::Role(role) => format!("needs the role `{role}`"),
                Needs::Function(rights) | Needs::Rights(rights) => {
                    format!("needs `GRANT {rights}`")
                }
            }),
    );
    if let Some(Top { by, rows, .. }) = &collector.top {
        let by = by.join("` and `");
        conditions.push(match rows {
            Some(rows) => format!("of more than {rows} rows the largest by `{by}`"),
            None => format!("the largest rows by `{by}` where not all fit"),
        });
    }
    if let Some(Lookup { of, label }) = &collector.lookup {
        conditions.push(format!("once for each `{label}` that `{of}` shows"));
    }
    if !collector.enabled {
        conditions.push("off by default".into());
    }
    if collector.alias {
        conditions.push("with `collect.aliases` only".into());
    }
    conditions
}

fn kind(kind: MetricKind) -> &'static str {
    match kind {
        MetricKind::Counter => "counter",
        MetricKind::Gauge => "gauge",
        MetricKind::Histogram => "histogram",
        MetricKind::Unknown => "unknown",
    }
}

fn versions(collector: &Collector, metric: &Metric) -> String {
    let (since, until) = collector.majors(metric);
    let release = |major| collector.kind.release(major);
    match until {
        u32::MAX => format!("{}+", release(since)),
        until if until == since => release(since),
        until => format!("{}–{}", release(since), release(until)),
    }
}
