//! `topk` and `bottomk`: rows are kept where they are among the first of their group.

use std::cmp::Ordering;

use super::{Group, groups, present};
use crate::promql::EvalError;
use crate::promql::evaluate::Evaluation;
use crate::promql::expr::{Aggregate, Aggregation};
use crate::promql::number::format_short;
use crate::promql::rows::Rows;

/// At each moment, so many of each group as the limit of that moment allows, the largest or the smallest.
pub(super) fn extremes(
    evaluation: &Evaluation<'_>,
    node: &Aggregate,
    rows: &Rows,
    limits: &[usize],
) -> Result<Rows, EvalError> {
    let mut kept = vec![vec![]; rows.len()];
    let mut order = Vec::new();
    for Group { members, .. } in groups(&node.grouping, rows) {
        evaluation.go_on()?;
        for (place, limit) in limits.iter().enumerate() {
            let mut ranked: Vec<(usize, f64)> = present(rows, &members, place).collect();
            ranked.sort_by(|(_, a), (_, b)| match node.op {
                Aggregation::Top => by_value(*b, *a, *a, *b),
                _ => by_value(*a, *b, *a, *b),
            });
            for (row, value) in ranked.into_iter().take(*limit) {
                if kept[row].is_empty() {
                    order.push(row);
                }
                kept[row].push((place, value));
            }
        }
    }
    // At a single moment the order is that of the values; over many there is none.
    if limits.len() > 1 {
        order.sort_unstable();
    }
    let mut results = Rows::with_capacity(rows.width(), order.len());
    for row in order {
        results.push(rows.head(row).clone(), |out| {
            for (place, value) in &kept[row] {
                out[*place] = *value;
            }
        });
    }
    Ok(results)
}

/// The limits of `topk` and `bottomk`.
pub(super) fn counts(numbers: &[f64]) -> Result<Vec<usize>, EvalError> {
    let failed = |message: String| Err(EvalError::Failed(message));
    if numbers.iter().any(|number| number.is_nan()) {
        return failed("Parameter value is NaN".into());
    }
    let least = numbers.iter().copied().fold(f64::INFINITY, f64::min);
    if !numbers.is_empty() && least <= i64::MIN as f64 {
        let least = format_short(least);
        return failed(format!("Scalar value {least} underflows int64"));
    }
    let most = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if most >= i64::MAX as f64 {
        let most = format_short(most);
        return failed(format!("Scalar value {most} overflows int64"));
    }
    Ok(numbers
        .iter()
        .map(|number| number.max(0.0) as usize)
        .collect())
}

/// Orders two values, `NaN` of the elements `a` and `b` last whatever the direction.
fn by_value(first: f64, second: f64, a: f64, b: f64) -> Ordering {
    let order = first.partial_cmp(&second).unwrap_or(Ordering::Equal);
    a.is_nan().cmp(&b.is_nan()).then(order)
}
