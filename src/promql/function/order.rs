//! Elements in the order of their values, `NaN` last.

use crate::promql::EvalError;
use crate::promql::evaluate::{Entry, Evaluation, Outcome};
use crate::promql::expr::Expr;

pub(super) fn sort(
    evaluation: &Evaluation<'_>,
    arguments: &[Expr],
    now: i64,
) -> Result<Outcome, EvalError> {
    sorted(evaluation, arguments, now, |a, b| a.total_cmp(&b))
}

pub(super) fn sort_desc(
    evaluation: &Evaluation<'_>,
    arguments: &[Expr],
    now: i64,
) -> Result<Outcome, EvalError> {
    sorted(evaluation, arguments, now, |a, b| b.total_cmp(&a))
}

fn sorted(
    evaluation: &Evaluation<'_>,
    arguments: &[Expr],
    now: i64,
    order: fn(f64, f64) -> std::cmp::Ordering,
) -> Result<Outcome, EvalError> {
    let mut entries = evaluation.vector(&arguments[0], now)?;
    let last = |entry: &Entry| entry.value.is_nan();
    entries.sort_by(|a, b| last(a).cmp(&last(b)).then_with(|| order(a.value, b.value)));
    Ok(Outcome::Vector(entries))
}
