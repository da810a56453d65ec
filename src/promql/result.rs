//! What leaves the evaluator: names that were to go are gone, and no two results have the same labels.

use std::collections::{BTreeMap, HashSet};

use super::evaluate::{Evaluation, Outcome};
use super::expr::Expr;
use super::grid::Grid;
use super::rows::{Head, Rows};
use super::select::{merged, ordered};
use super::span::Track;
use super::{Element, EvalError, Kind, SAME_LABELS, Value};
use crate::sample::{Labels, NAME};
use crate::store::Series;

/// The value of an expression at one moment.
///
/// # Errors
/// It cannot be evaluated, or two elements have the same labels.
pub(super) fn at_once(
    evaluation: &Evaluation<'_>,
    expr: &Expr,
    grid: Grid,
) -> Result<Value, EvalError> {
    if expr.kind() == Kind::Matrix {
        let spans = evaluation.spans(expr, grid)?;
        let tracks = spans.tracks.iter().filter_map(|track| {
            let window = spans.windows(evaluation, &track.points, grid).next()?;
            (!window.points.is_empty()).then(|| Track {
                head: track.head.clone(),
                points: window.points.to_vec(),
            })
        });
        return matrix(tracks.collect());
    }
    match evaluation.at(expr, grid)? {
        Outcome::Numbers(numbers) => Ok(Value::Scalar(
            numbers.values.first().copied().unwrap_or(f64::NAN),
        )),
        Outcome::Text(text) => Ok(Value::Text(text)),
        Outcome::Rows(rows) => vector(&rows),
    }
}

/// The values of an expression over many moments; a number is a series without labels.
///
/// # Errors
/// It cannot be evaluated, is neither a scalar nor an instant vector, or two series have the same labels.
pub(super) fn over_time(
    evaluation: &Evaluation<'_>,
    expr: &Expr,
    grid: Grid,
) -> Result<Value, EvalError> {
    match expr.kind() {
        Kind::Matrix => return Err(wrong_type("range vector")),
        Kind::Text => return Err(wrong_type("string")),
        Kind::Scalar | Kind::Vector => {}
    }
    let rows = match evaluation.at(expr, grid)? {
        Outcome::Numbers(numbers) => {
            let head = Head {
                sources: numbers.sources,
                ..Head::default()
            };
            let mut rows = Rows::new(grid.count);
            rows.push(head, |row| row.copy_from_slice(&numbers.values));
            rows
        }
        Outcome::Rows(rows) => rows,
        Outcome::Text(_) => return Err(wrong_type("string")),
    };
    matrix(merged(&rows, grid)?)
}

/// Labels as they leave the expression.
pub(super) fn final_labels(labels: &Labels, drop_name: bool) -> Labels {
    match drop_name {
        true => labels.filtered(|name| name != NAME),
        false => labels.clone(),
    }
}

/// Series by their final labels, sorted; samples of those that share them are merged.
///
/// # Errors
/// Two of them have a sample at the same time.
fn matrix(tracks: Vec<Track>) -> Result<Value, EvalError> {
    let mut merged: BTreeMap<Labels, Series> = BTreeMap::new();
    for Track { head, points } in tracks {
        let labels = final_labels(&head.labels, head.drop_name);
        match merged.get_mut(&labels) {
            Some(series) => {
                series.sources = series.sources.union(&head.sources);
                series.points.extend(points);
                ordered(&mut series.points)?;
            }
            None => {
                let series = Series {
                    labels: labels.clone(),
                    sources: head.sources,
                    points,
                };
                merged.insert(labels, series);
            }
        }
    }
    Ok(Value::Matrix(merged.into_values().collect()))
}

/// Elements that are alike come of names that were to go: no operation gives rows that are alike before that.
fn vector(rows: &Rows) -> Result<Value, EvalError> {
    let names_go = rows.heads().iter().any(|head| head.drop_name);
    let mut seen = HashSet::new();
    let mut elements = Vec::with_capacity(rows.len());
    for (head, values) in rows.iter() {
        let labels = final_labels(&head.labels, head.drop_name);
        if names_go && !seen.insert(labels.clone()) {
            return Err(EvalError::Failed(SAME_LABELS.into()));
        }
        elements.push(Element {
            labels,
            value: values[0],
            sources: head.sources.clone(),
        });
    }
    Ok(Value::Vector(elements))
}

fn wrong_type(kind: &str) -> EvalError {
    EvalError::Failed(format!(
        "invalid expression type {kind:?} for range query, must be Scalar or instant Vector"
    ))
}
