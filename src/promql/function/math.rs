//! Functions of one value, and those that turn numbers into vectors and back.

use super::single;
use crate::promql::EvalError;
use crate::promql::aggregate::united;
use crate::promql::evaluate::{Evaluation, Outcome};
use crate::promql::expr::{Call, Expr};
use crate::promql::grid::Grid;
use crate::promql::rows::{Numbers, is_present};
use crate::promql::select;
use crate::sample::Sources;

/// Gives nothing when the bounds are the wrong way round.
pub(super) fn clamp(value: f64, bounds: &[f64]) -> Option<f64> {
    let (least, most) = (bounds[0], bounds[1]);
    match most < least {
        true => None,
        false => Some(larger(least, smaller(most, value))),
    }
}

pub(super) fn clamp_max(value: f64, bounds: &[f64]) -> Option<f64> {
    Some(smaller(bounds[0], value))
}

pub(super) fn clamp_min(value: f64, bounds: &[f64]) -> Option<f64> {
    Some(larger(bounds[0], value))
}

/// Half is rounded up, also below zero.
pub(super) fn round(value: f64, to_nearest: &[f64]) -> Option<f64> {
    let inverse = 1.0 / to_nearest.first().copied().unwrap_or(1.0);
    Some((value * inverse + 0.5).floor() / inverse)
}

pub(super) fn sign(value: f64, _: &[f64]) -> Option<f64> {
    Some(if value < 0.0 {
        -1.0
    } else if value > 0.0 {
        1.0
    } else {
        value
    })
}

/// From here on a value's square is so much larger than 1 that 1 does not count; Rust's own doubles the value, which may
/// be too large for that.
const LARGE: f64 = (1u64 << 28) as f64;

pub(super) fn acosh(value: f64) -> f64 {
    match value > LARGE {
        true => value.ln() + std::f64::consts::LN_2,
        false => value.acosh(),
    }
}

pub(super) fn asinh(value: f64) -> f64 {
    match value.abs() > LARGE {
        true => (value.abs().ln() + std::f64::consts::LN_2).copysign(value),
        false => value.asinh(),
    }
}

pub(super) fn pi(_: &Evaluation<'_>, _: &Call, grid: Grid) -> Result<Outcome, EvalError> {
    let pi = Numbers::constant(std::f64::consts::PI, grid.count);
    Ok(Outcome::Numbers(pi))
}

pub(super) fn time(_: &Evaluation<'_>, _: &Call, grid: Grid) -> Result<Outcome, EvalError> {
    Ok(Outcome::Numbers(Numbers {
        values: seconds(grid).collect(),
        sources: Sources::default(),
    }))
}

/// The time of the sample for what a selector gives, else the time of evaluation.
pub(super) fn timestamp(
    evaluation: &Evaluation<'_>,
    call: &Call,
    grid: Grid,
) -> Result<Outcome, EvalError> {
    let mut rows = match &call.arguments[0] {
        Expr::Vector(selector) => select::times(evaluation, selector, grid)?,
        other => {
            let now: Vec<f64> = seconds(grid).collect();
            let rows = evaluation.rows(other, grid)?;
            rows.map(|_, place| Some(now[place]))
        }
    };
    for head in rows.heads_mut() {
        head.drop_name = true;
    }
    Ok(Outcome::Rows(rows))
}

pub(super) fn vector(
    evaluation: &Evaluation<'_>,
    call: &Call,
    grid: Grid,
) -> Result<Outcome, EvalError> {
    let numbers = evaluation.numbers(&call.arguments[0], grid)?;
    Ok(Outcome::Rows(single(numbers)))
}

/// The value of a vector of one; else `NaN`.
pub(super) fn scalar(
    evaluation: &Evaluation<'_>,
    call: &Call,
    grid: Grid,
) -> Result<Outcome, EvalError> {
    let rows = evaluation.rows(&call.arguments[0], grid)?;
    let all: Vec<usize> = (0..rows.len()).collect();
    let value = |place: usize| {
        let values = rows.iter().map(|(_, values)| values[place]);
        let mut there = values.filter(|value| is_present(*value));
        match (there.next(), there.next()) {
            (Some(only), None) => only,
            _ => f64::NAN,
        }
    };
    Ok(Outcome::Numbers(Numbers {
        values: (0..grid.count).map(value).collect(),
        sources: united(&rows, &all),
    }))
}

/// The moments of a grid in seconds.
pub(super) fn seconds(grid: Grid) -> impl Iterator<Item = f64> {
    grid.moments().map(|moment| moment as f64 / 1000.0)
}

/// As Go's: an infinity that settles it wins over `NaN`, which wins over numbers.
fn smaller(a: f64, b: f64) -> f64 {
    if a == f64::NEG_INFINITY || b == f64::NEG_INFINITY {
        f64::NEG_INFINITY
    } else if a.is_nan() || b.is_nan() {
        f64::NAN
    } else {
        a.min(b)
    }
}

fn larger(a: f64, b: f64) -> f64 {
    -smaller(-a, -b)
}
