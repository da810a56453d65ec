//! Rows in the order of their values, `NaN` last. Only at a single moment is there such an order.

use std::cmp::Ordering;

use crate::promql::EvalError;
use crate::promql::evaluate::{Evaluation, Outcome};
use crate::promql::expr::Call;
use crate::promql::grid::Grid;

pub(super) fn sort(
    evaluation: &Evaluation<'_>,
    call: &Call,
    grid: Grid,
) -> Result<Outcome, EvalError> {
    sorted(evaluation, call, grid, |a, b| a.total_cmp(&b))
}

pub(super) fn sort_desc(
    evaluation: &Evaluation<'_>,
    call: &Call,
    grid: Grid,
) -> Result<Outcome, EvalError> {
    sorted(evaluation, call, grid, |a, b| b.total_cmp(&a))
}

fn sorted(
    evaluation: &Evaluation<'_>,
    call: &Call,
    grid: Grid,
    order: fn(f64, f64) -> Ordering,
) -> Result<Outcome, EvalError> {
    let rows = evaluation.rows(&call.arguments[0], grid)?;
    if grid.count != 1 {
        return Ok(Outcome::Rows(rows));
    }
    let mut places: Vec<usize> = (0..rows.len()).collect();
    places.sort_by(|a, b| {
        let (a, b) = (rows.row(*a)[0], rows.row(*b)[0]);
        let last = a.is_nan().cmp(&b.is_nan());
        last.then_with(|| order(a, b))
    });
    Ok(Outcome::Rows(rows.picked(&places)))
}
