//! What leaves the evaluator: names that were to go are gone, and no two results have the same labels.

use std::collections::{BTreeMap, HashSet};

use super::evaluate::{Entry, Outcome, Row, final_labels};
use super::{Element, EvalError, SAME_LABELS, Value};
use crate::sample::Labels;
use crate::store::Series;

/// The value of an expression at one moment.
///
/// # Errors
/// Two elements have the same labels.
pub(super) fn of(outcome: Outcome) -> Result<Value, EvalError> {
    match outcome {
        Outcome::Number(value, _) => Ok(Value::Scalar(value)),
        Outcome::Text(text) => Ok(Value::Text(text)),
        Outcome::Vector(entries) => vector(entries),
        Outcome::Matrix(span) => matrix(span.rows),
    }
}

/// The elements at one of many moments; a number is one element without labels.
pub(super) fn entries(outcome: Outcome, now: i64) -> Result<Vec<Entry>, EvalError> {
    match outcome {
        Outcome::Vector(entries) => Ok(entries),
        Outcome::Number(value, sources) => Ok(vec![Entry {
            labels: Labels::default(),
            value,
            sources,
            drop_name: false,
            at: now,
        }]),
        Outcome::Text(_) => Err(wrong_type("string")),
        Outcome::Matrix(_) => Err(wrong_type("range vector")),
    }
}

/// Series by their final labels, sorted; samples of those that share them are merged.
///
/// # Errors
/// Two of them have a sample at the same time.
pub(super) fn matrix(rows: Vec<Row>) -> Result<Value, EvalError> {
    let mut merged: BTreeMap<Labels, Series> = BTreeMap::new();
    for row in rows {
        let labels = final_labels(&row.labels, row.drop_name);
        let series = merged.entry(labels.clone()).or_insert_with(|| Series {
            labels,
            sources: row.sources.clone(),
            points: Vec::new(),
        });
        series.sources = series.sources.union(&row.sources);
        series.points.extend(row.points);
    }
    for series in merged.values_mut() {
        series.points.sort_by_key(|(at, _)| *at);
        if series.points.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return Err(EvalError::Failed(SAME_LABELS.into()));
        }
    }
    Ok(Value::Matrix(merged.into_values().collect()))
}

fn vector(entries: Vec<Entry>) -> Result<Value, EvalError> {
    let mut seen = HashSet::with_capacity(entries.len());
    let mut elements = Vec::with_capacity(entries.len());
    for entry in entries {
        let labels = final_labels(&entry.labels, entry.drop_name);
        if !seen.insert(labels.clone()) {
            return Err(EvalError::Failed(SAME_LABELS.into()));
        }
        elements.push(Element {
            labels,
            value: entry.value,
            sources: entry.sources,
        });
    }
    Ok(Value::Vector(elements))
}

fn wrong_type(kind: &str) -> EvalError {
    EvalError::Failed(format!(
        "invalid expression type {kind:?} for range query, must be Scalar or instant Vector"
    ))
}
