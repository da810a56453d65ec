//! postgres_exporter's format of user queries, key by key.

use crate::document::{Node, Problem, Reader, Section, Value};

/// One query of the file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Query {
    /// What its metrics' names begin with.
    pub(super) name: String,
    pub(super) sql: String,
    /// For how long an answer is used again.
    pub(super) cache_seconds: u64,
    /// The servers on which it runs, as a range of semantic versions.
    pub(super) versions: Option<String>,
    pub(super) columns: Vec<Column>,
}

/// One column of its answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) usage: Usage,
    pub(super) description: String,
    /// As [`Query::versions`].
    pub(super) versions: Option<String>,
}

/// What a column is for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Usage {
    Label,
    Discard,
    Counter,
    Gauge,
    /// A text such as `1h2m3s`.
    Duration,
    Histogram,
    /// A text, with the number that each of its values stands for.
    Mapped(Vec<(String, String)>),
}

/// The queries, and what in the file means nothing to us or is wrong.
///
/// # Errors
/// The file is no mapping of queries at all.
pub(super) fn read(root: &Node) -> Result<(Vec<Query>, Vec<Problem>), Problem> {
    match &root.value {
        Value::Map(entries) if !entries.is_empty() => {}
        _ => {
            return Err(Problem {
                hint: Some("it is a mapping of names to queries with `query` and `metrics`".into()),
                ..Problem::at(
                    &root.place,
                    "this is no file of queries for postgres_exporter",
                )
            });
        }
    }
    let reader = Reader::new(None);
    let queries = reader.read(root, |s| {
        let names = s.keys();
        let each = names.iter();
        each.map(|name| s.section(name, "A query.", |s| query(name, s)))
            .collect::<Vec<Query>>()
    });
    let usable = queries
        .into_iter()
        .filter(|query| !query.sql.is_empty())
        .collect();
    Ok((usable, reader.problems()))
}

fn query(name: &str, s: &mut Section) -> Query {
    // Both say where it runs when the exporter visits every database by itself, which a collector is told by its scope.
    s.flag("master", false, "Only in the first database.");
    s.flag("primary", false, "Only on a primary.");
    Query {
        name: name.to_owned(),
        sql: s.required_text("query", "the statement"),
        cache_seconds: s.count(
            "cache_seconds",
            "0",
            "For how long an answer is used again.",
        ),
        versions: s.optional_text("runonserver", "The servers on which it runs."),
        columns: s
            .list("metrics", "The columns.", |s| {
                let names = s.keys();
                let each = names.iter();
                each.map(|name| s.section(name, "A column.", |s| column(name, s)))
                    .collect::<Vec<Column>>()
            })
            .concat(),
    }
}

fn column(name: &str, s: &mut Section) -> Column {
    let words = [
        "LABEL",
        "DISCARD",
        "COUNTER",
        "GAUGE",
        "DURATION",
        "HISTOGRAM",
        "MAPPEDMETRIC",
    ];
    let usage = s.choice("usage", &words, "DISCARD", "What the column is for.");
    let mapping = s.pairs("metric_mapping", "What its texts stand for.");
    Column {
        name: name.to_owned(),
        usage: match usage.as_str() {
            "LABEL" => Usage::Label,
            "COUNTER" => Usage::Counter,
            "GAUGE" => Usage::Gauge,
            "DURATION" => Usage::Duration,
            "HISTOGRAM" => Usage::Histogram,
            "MAPPEDMETRIC" => Usage::Mapped(numbers(mapping, s)),
            _ => Usage::Discard,
        },
        description: s.text("description", "", "What it says."),
        versions: s.optional_text("pg_version", "The servers that have it."),
    }
}

fn numbers(mapping: Vec<(String, String)>, s: &Section) -> Vec<(String, String)> {
    if mapping.is_empty() {
        s.problem("metric_mapping", "maps no text to a number", None);
    }
    let mut numbers = Vec::new();
    for (text, number) in mapping {
        match number.parse::<f64>() {
            Ok(_) => numbers.push((text, number)),
            Err(_) => s.problem("metric_mapping", format!("`{number}` is no number"), None),
        }
    }
    numbers
}
