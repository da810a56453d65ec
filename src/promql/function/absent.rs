//! One element where there is none.

use std::collections::HashSet;

use super::single;
use crate::promql::EvalError;
use crate::promql::evaluate::{Entry, Evaluation, Outcome};
use crate::promql::expr::{Expr, Selector};
use crate::sample::{Labels, NAME, Sources};
use crate::store::Test;

pub(super) fn absent(
    evaluation: &Evaluation<'_>,
    arguments: &[Expr],
    now: i64,
) -> Result<Outcome, EvalError> {
    let found = evaluation.vector(&arguments[0], now)?.len();
    Ok(Outcome::Vector(instead(found, &arguments[0], now)))
}

pub(super) fn absent_over_time(
    evaluation: &Evaluation<'_>,
    arguments: &[Expr],
    now: i64,
) -> Result<Outcome, EvalError> {
    let found = evaluation.span(&arguments[0], now)?.rows.len();
    Ok(Outcome::Vector(instead(found, &arguments[0], now)))
}

fn instead(found: usize, argument: &Expr, now: i64) -> Vec<Entry> {
    let labels = match argument {
        _ if found > 0 => return Vec::new(),
        Expr::Vector(selector) | Expr::Matrix(selector, _) => labels(selector),
        _ => Labels::default(),
    };
    vec![Entry {
        labels,
        ..single(1.0, Sources::default(), now)
    }]
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
