//! Answers from a snapshot of pgvigil's store, without any server.

use std::path::Path;

use anyhow::Context;
use serde_json::{Value as Json, json};

use super::Trouble;
use super::ask::{Answer, Ask, Moments};
use super::report::Mistake;
use crate::promql::{Limits, Query, Value, evaluate, format_number, format_plain};
use crate::sample::{Labels, Timestamp};
use crate::store::Store;

/// What was in memory when it was taken.
pub(super) struct Snapshot {
    store: Store,
    pub(super) taken: Timestamp,
}

/// Reads a snapshot, which changes nothing about it.
pub(super) fn open(path: &Path) -> Result<Snapshot, Trouble> {
    let opened = Store::open_snapshot(path);
    let opened = opened.with_context(|| format!("cannot use the snapshot `{}`", path.display()));
    let (store, taken) = opened.map_err(Trouble::Unreachable)?;
    Ok(Snapshot { store, taken })
}

impl Snapshot {
    pub(super) fn answer(&self, ask: &Ask) -> Result<Answer, Trouble> {
        let wrong = |cause: String, at| Trouble::Query(Mistake { cause, at });
        let query = Query::parse(&ask.expression)
            .map_err(|error| wrong(error.message.clone(), error.position))?;
        let answer = evaluate(&query, &self.store, ask.moments, &Limits::default())
            .map_err(|error| wrong(error.to_string(), None))?;
        let at = match ask.moments {
            Moments::At(at) => at,
            Moments::Range { end, .. } => end,
        };
        Ok(Answer {
            data: data(&answer.value, at),
            warnings: answer.warnings,
            infos: answer.infos,
        })
    }
}

/// The value as Prometheus' API has it.
fn data(value: &Value, at: Timestamp) -> Json {
    let at = seconds(at);
    match value {
        Value::Scalar(value) => {
            json!({ "resultType": "scalar", "result": [at, format_plain(*value)] })
        }
        Value::Text(text) => json!({ "resultType": "string", "result": [at, text] }),
        Value::Vector(elements) => {
            let elements = elements.iter().map(|element| {
                let value = format_number(element.value);
                json!({ "metric": labels(&element.labels), "value": [at, value] })
            });
            json!({ "resultType": "vector", "result": elements.collect::<Vec<_>>() })
        }
        Value::Matrix(all) => {
            let all = all.iter().map(|series| {
                let points = series.points.iter();
                let values = points.map(|(at, value)| json!([seconds(*at), format_number(*value)]));
                json!({ "metric": labels(&series.labels), "values": values.collect::<Vec<_>>() })
            });
            json!({ "resultType": "matrix", "result": all.collect::<Vec<_>>() })
        }
    }
}

/// Without a fraction where there is none.
fn seconds(at: Timestamp) -> Json {
    match at.0 % 1000 {
        0 => Json::from(at.0 / 1000),
        _ => Json::from(at.seconds()),
    }
}

fn labels(labels: &Labels) -> Json {
    let pairs = labels.iter();
    pairs
        .map(|(name, value)| (name.to_owned(), Json::from(value)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}
