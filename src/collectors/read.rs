//! The format of a collector's file: each key with its meaning, and everything that can be wrong with one.

use std::sync::Arc;

use super::metric::placeholders;
use super::settings::PARAMETERS;
use super::{Cadence, Collector, Metric, Origin, Privilege, Query, Role, Scope};
use crate::document::{Section, parse_duration};
use crate::sample::{Family, MetricKind};
use crate::server::Lane;

/// Reads one file's root mapping.
pub(super) fn collector(s: &mut Section) -> Collector {
    let name = s.required_text("name", "the collector's name in settings, logs and labels");
    if !is_word(&name, "_") && !name.is_empty() {
        s.problem(
            "name",
            format!("`{name}` may have only letters, digits and `_`"),
            None,
        );
    }
    let labels = s.texts(
        "labels",
        "Columns that are labels of every metric, unless it names its own.",
    );
    let collector = Collector {
        name: name.into(),
        doc: s.required_text("doc", "what the collector watches, one sentence"),
        scope: scope(s),
        interval: s
            .parsed(
                "interval",
                "multiple or duration",
                "1x",
                "How often it is read: `4x` is four times `collect.interval`.",
                cadence,
            )
            .unwrap_or(Cadence::Times(1)),
        timeout: s.optional_duration(
            "timeout",
            "The most its statement may take; default `collect.timeout`.",
        ),
        lifetime: s
            .count(
                "lifetime",
                "3",
                "How many intervals its last samples outlive a failure.",
            )
            .clamp(1, 100) as u32,
        lane: lane(s),
        on: role(s),
        extension: s.optional_text(
            "extension",
            "An extension without which there is nothing to read.",
        ),
        privilege: s.optional_section(
            "privilege",
            "A role without whose privileges the answer would be empty or wrong.",
            |s| Privilege {
                role: s.required_text("role", "the role, such as `pg_read_all_stats`"),
                reason: s.required_text("reason", "what is missing without it"),
            },
        ),
        enabled: s.flag(
            "enabled",
            true,
            "Whether it runs without being named in `collect.enable`.",
        ),
        queries: s.list("queries", "Its statements by major version.", query),
        metrics: s
            .map(
                "metrics",
                "What the columns are, by metric name.",
                |name, s| metric(name, &labels, s),
            )
            .into_iter()
            .map(|(_, metric)| metric)
            .collect(),
    };
    check(&collector, s);
    collector
}

fn scope(s: &mut Section) -> Scope {
    match s
        .choice(
            "scope",
            &["server", "database"],
            "server",
            "Read once per server, or in every database.",
        )
        .as_str()
    {
        "database" => Scope::Database,
        _ => Scope::Server,
    }
}

fn lane(s: &mut Section) -> Lane {
    match s
        .choice(
            "lane",
            &["quick", "slow"],
            "quick",
            "`slow` keeps it off the connection that is always held.",
        )
        .as_str()
    {
        "slow" => Lane::Visit,
        _ => Lane::Held,
    }
}

fn role(s: &mut Section) -> Role {
    match s
        .choice(
            "on",
            &["any", "primary", "standby"],
            "any",
            "The servers on which it makes sense.",
        )
        .as_str()
    {
        "primary" => Role::Primary,
        "standby" => Role::Standby,
        _ => Role::Any,
    }
}

fn cadence(text: &str) -> Result<Cadence, String> {
    match text.strip_suffix('x').and_then(|times| times.parse().ok()) {
        Some(times) if times > 0 => Ok(Cadence::Times(times)),
        _ => match parse_duration(text) {
            Ok(interval) if !interval.is_zero() => Ok(Cadence::Every(interval)),
            _ => Err(format!(
                "`{text}` is no interval; write `4x` for four times `collect.interval`, or a duration such as `5m`"
            )),
        },
    }
}

fn query(s: &mut Section) -> Query {
    let query = Query {
        since: s.count("since", "13", "The first major version.") as u32,
        until: optional_version(s, "until", "The last major version."),
        sql: s
            .required_text("sql", "the statement")
            .trim()
            .trim_end_matches(';')
            .to_owned(),
    };
    if query.until.is_some_and(|until| until < query.since) {
        s.problem("until", "ends before it begins", None);
    }
    for name in parameters(&query.sql) {
        if !PARAMETERS.contains(&name) {
            let known = format!("there is `${{{}}}`", PARAMETERS.join("}`, `${"));
            s.problem(
                "sql",
                format!("there is no setting `${{{name}}}`"),
                Some(&known),
            );
        }
    }
    query
}

fn parameters(sql: &str) -> impl Iterator<Item = &str> {
    sql.split("${")
        .skip(1)
        .filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
}

fn metric(name: &str, labels: &[String], s: &mut Section) -> Metric {
    let from = s.optional_text("from", "The column that holds the value.");
    let constant = s.optional_number(
        "value",
        "A constant in place of a column: the labels are the fact.",
    );
    let divisor = s
        .optional_number("divide_by", "What the column is divided by.")
        .unwrap_or(1.0);
    if divisor == 0.0 {
        s.problem("divide_by", "must not be zero", None);
    }
    let origin = match (from, constant) {
        (Some(from), None) => Origin::Column {
            name: from.into(),
            divisor,
        },
        (None, Some(value)) => Origin::Constant(value),
        _ => {
            s.problem(
                "",
                "needs either `from` or `value`",
                Some("`from` names a column, `value: 1` is a constant"),
            );
            Origin::Constant(1.0)
        }
    };
    let own_labels = s.texts(
        "labels",
        "Columns that are its labels; default those of the collector.",
    );
    let labels = if s.has("labels") {
        own_labels
    } else {
        labels.to_vec()
    };
    let metric = Metric {
        family: Arc::new(Family {
            name: name.into(),
            kind: kind(s),
            help: s.required_text("help", "what it says, one sentence").into(),
        }),
        origin,
        labels: labels.iter().map(|label| label.as_str().into()).collect(),
        unit: s.text("unit", "", "The unit of the value."),
        since: optional_version(s, "since", "The first major version that has it."),
        until: optional_version(s, "until", "The last major version that has it."),
    };
    check_names(&metric, s);
    metric
}

fn kind(s: &mut Section) -> MetricKind {
    let doc = "`counter`, `gauge`, or `unknown` where Prometheus has no better word.";
    match s
        .choice("type", &["gauge", "counter", "unknown"], "gauge", doc)
        .as_str()
    {
        "counter" => MetricKind::Counter,
        "unknown" => MetricKind::Unknown,
        _ => MetricKind::Gauge,
    }
}

fn optional_version(s: &mut Section, key: &str, doc: &str) -> Option<u32> {
    s.parsed(key, "major version", "", doc, |text| {
        text.parse()
            .map_err(|_| format!("`{text}` is no major version, such as 15"))
    })
}

fn check_names(metric: &Metric, s: &Section) {
    let name: &str = &metric.family.name;
    let fixed = super::metric::fill(name, |_| Some("x"));
    if !fixed.is_some_and(|name| is_word(&name, "_:")) {
        s.problem(
            "",
            format!(
                "`{name}` is no metric name: letters, digits, `_` and `:` only, and no digit first"
            ),
            None,
        );
    }
    for label in &metric.labels {
        if !is_word(label, "_") {
            s.problem(
                "labels",
                format!(
                    "`{label}` is no label name: letters, digits and `_` only, and no digit first"
                ),
                Some("rename the column with AS"),
            );
        } else if OWN_LABELS.contains(&label.as_ref()) || label.starts_with("__") {
            s.problem(
                "labels",
                format!("label `{label}` is pgvigil's own"),
                Some("rename the column with AS"),
            );
        }
    }
    let empty = placeholders(name)
        .chain(placeholders(&metric.family.help))
        .any(str::is_empty);
    if empty {
        s.problem("", "`{}` names no column", None);
    }
}

/// Labels that are set where samples enter the store.
const OWN_LABELS: [&str; 3] = ["server", "job", "instance"];

fn is_word(text: &str, beside: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || beside.contains(c))
}

fn check(collector: &Collector, s: &Section) {
    if collector.queries.is_empty() {
        s.problem("queries", "must have at least one query", None);
    }
    if collector.metrics.is_empty() {
        s.problem("metrics", "must have at least one metric", None);
    }
    let mut ranges: Vec<&Query> = collector.queries.iter().collect();
    ranges.sort_by_key(|query| query.since);
    for pair in ranges.windows(2) {
        if pair[0].until.is_none_or(|until| until >= pair[1].since) {
            s.problem(
                "queries",
                format!("two of them are for PostgreSQL {}", pair[1].since),
                Some("end the older one with `until`"),
            );
        }
    }
    for metric in &collector.metrics {
        let majors = metric.since.unwrap_or(0)..=metric.until.unwrap_or(u32::MAX);
        let read = collector.queries.iter().any(|query| {
            query.since <= *majors.end() && query.until.unwrap_or(u32::MAX) >= *majors.start()
        });
        if !read && !collector.queries.is_empty() {
            s.problem(
                "metrics",
                format!(
                    "`{}` is for versions that no query reads",
                    metric.family.name
                ),
                None,
            );
        }
    }
}
