//! Functions of one value, and those that turn numbers into vectors and back.

use super::single;
use crate::promql::EvalError;
use crate::promql::evaluate::{Evaluation, Outcome};
use crate::promql::expr::Expr;
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

pub(super) fn pi(_: &Evaluation<'_>, _: &[Expr], _: i64) -> Result<Outcome, EvalError> {
    Ok(Outcome::Number(std::f64::consts::PI, Sources::default()))
}

pub(super) fn time(_: &Evaluation<'_>, _: &[Expr], now: i64) -> Result<Outcome, EvalError> {
    Ok(Outcome::Number(now as f64 / 1000.0, Sources::default()))
}

/// The time of the sample for what a selector gives, else the time of evaluation.
pub(super) fn timestamp(
    evaluation: &Evaluation<'_>,
    arguments: &[Expr],
    now: i64,
) -> Result<Outcome, EvalError> {
    let of_sample = matches!(arguments[0], Expr::Vector(_));
    let mut entries = evaluation.vector(&arguments[0], now)?;
    for entry in &mut entries {
        entry.value = (if of_sample { entry.at } else { now }) as f64 / 1000.0;
        entry.drop_name = true;
    }
    Ok(Outcome::Vector(entries))
}

pub(super) fn vector(
    evaluation: &Evaluation<'_>,
    arguments: &[Expr],
    now: i64,
) -> Result<Outcome, EvalError> {
    let (value, sources) = evaluation.number(&arguments[0], now)?;
    Ok(Outcome::Vector(vec![single(value, sources, now)]))
}

/// The value of a vector of one; else `NaN`.
pub(super) fn scalar(
    evaluation: &Evaluation<'_>,
    arguments: &[Expr],
    now: i64,
) -> Result<Outcome, EvalError> {
    let entries = evaluation.vector(&arguments[0], now)?;
    Ok(match entries.as_slice() {
        [one] => Outcome::Number(one.value, one.sources.clone()),
        several => Outcome::Number(f64::NAN, crate::promql::aggregate::united(several)),
    })
}

/// Unlike `f64::min`, `NaN` when either is.
fn smaller(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() {
        f64::NAN
    } else {
        a.min(b)
    }
}

fn larger(a: f64, b: f64) -> f64 {
    -smaller(-a, -b)
}
