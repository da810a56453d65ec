//! Lines and curves through the samples of a range.

use super::Samples;
use crate::promql::EvalError;
use crate::promql::sum::Sum;

pub(super) fn deriv(samples: &Samples<'_>, _: &[f64]) -> Option<f64> {
    let (slope, _) = line(samples, samples.points[0].0.0)?;
    Some(slope)
}

pub(super) fn predict_linear(samples: &Samples<'_>, params: &[f64]) -> Option<f64> {
    let (slope, intercept) = line(samples, samples.now)?;
    Some(slope * params[0] + intercept)
}

/// Refuses factors of `double_exponential_smoothing` that are out of bounds.
pub(super) fn check_factors(params: &[f64]) -> Result<(), EvalError> {
    let factors = [("smoothing", "sf"), ("trend", "tf")];
    for ((what, short), factor) in factors.into_iter().zip(params.iter().copied()) {
        if factor <= 0.0 || factor >= 1.0 {
            return Err(EvalError::Failed(format!(
                "invalid {what} factor. Expected: 0 < {short} < 1, got: {factor:.6}"
            )));
        }
    }
    Ok(())
}

/// Holt's linear method; `params` are the smoothing and the trend factor.
pub(super) fn smoothed(samples: &Samples<'_>, params: &[f64]) -> Option<f64> {
    let (smoothing, trend_factor) = (params[0], params[1]);
    let values: Vec<f64> = samples.values().collect();
    let [first, second, ..] = values[..] else {
        return None;
    };
    let (mut before, mut level, mut trend) = (0.0, first, second - first);
    for (place, value) in values.iter().enumerate().skip(1) {
        if place > 1 {
            trend = trend_factor * (level - before) + (1.0 - trend_factor) * trend;
        }
        let next = smoothing * value + (1.0 - smoothing) * (level + trend);
        (before, level) = (level, next);
    }
    Some(level)
}

/// Slope per second, and value at `origin`, of the line of least squares.
fn line(samples: &Samples<'_>, origin: i64) -> Option<(f64, f64)> {
    let first = samples.points[0].1;
    if samples.points.len() < 2 {
        return None;
    }
    if samples.values().all(|value| value == first) {
        return Some(match first.is_infinite() {
            true => (f64::NAN, f64::NAN),
            false => (0.0, first),
        });
    }
    let points = || {
        let points = samples.points.iter();
        points.map(move |(at, y)| ((at.0 - origin) as f64 / 1000.0, *y))
    };
    let total = |of: fn((f64, f64)) -> f64| points().map(of).collect::<Sum>().total();
    let n = samples.points.len() as f64;
    let (x, y) = (total(|(x, _)| x), total(|(_, y)| y));
    let slope = (total(|(x, y)| x * y) - x * y / n) / (total(|(x, _)| x * x) - x * x / n);
    Some((slope, y / n - slope * x / n))
}
