//! One element where there is none.

use std::collections::HashSet;

use crate::promql::EvalError;
use crate::promql::evaluate::{Evaluation, Outcome};
use crate::promql::expr::{Call, Expr, Selector};
use crate::promql::grid::Grid;
use crate::promql::rows::{Head, Rows, is_present};
use crate::sample::{Labels, NAME};
use crate::store::Test;

pub(super) fn absent(
    evaluation: &Evaluation<'_>,
    call: &Call,
    grid: Grid,
) -> Result<Outcome, EvalError> {
    let argument = &call.arguments[0];
    let mut found = vec![false; grid.count];
    for (_, values) in evaluation.rows(argument, grid)?.iter() {
        for (found, value) in found.iter_mut().zip(values) {
            *found |= is_present(*value);
        }
    }
    Ok(instead(&found, argument))
}

pub(super) fn absent_over_time(
    evaluation: &Evaluation<'_>,
    call: &Call,
    grid: Grid,
) -> Result<Outcome, EvalError> {
    let argument = &call.arguments[0];
    let spans = evaluation.spans(argument, grid)?;
    let mut found = vec![false; grid.count];
    for track in &spans.tracks {
        let windows = spans.windows(evaluation, &track.points, grid);
        for (found, window) in found.iter_mut().zip(windows) {
            *found |= !window.points.is_empty();
        }
    }
    Ok(instead(&found, argument))
}

fn instead(found: &[bool], argument: &Expr) -> Outcome {
    let labels = match argument {
        Expr::Vector(selector) | Expr::Matrix(selector, _) => labels(selector),
        _ => Labels::default(),
    };
    let head = Head {
        labels,
        ..Head::default()
    };
    let mut rows = Rows::new(found.len());
    rows.push(head, |row| {
        for (value, found) in row.iter_mut().zip(found) {
            if !found {
                *value = 1.0;
            }
        }
    });
    Outcome::Rows(rows)
}

/// The labels that a selector demands by `=`, each once.
fn labels(selector: &Selector) -> Labels {
    let mut seen = HashSet::new();
    let mut labels = Labels::default();
    for matcher in selector.matchers.iter().filter(|m| m.name != NAME) {
        let value = match &matcher.test {
            Test::Equal(value) if seen.insert(&matcher.name) => value.as_str(),
            _ => "",
        };
        labels = labels.with(&matcher.name, value);
    }
    labels
}
