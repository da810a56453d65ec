//! What is said of the samples of a range without regard to their times.

use super::Samples;
use crate::promql::aggregate::extreme;
use crate::promql::sum::{self, Sum};

pub(super) fn average(samples: &Samples<'_>, _: &[f64]) -> Option<f64> {
    Some(sum::mean(samples.values()))
}

pub(super) fn sum(samples: &Samples<'_>, _: &[f64]) -> Option<f64> {
    Some(samples.values().collect::<Sum>().total())
}

pub(super) fn count(samples: &Samples<'_>, _: &[f64]) -> Option<f64> {
    Some(samples.points.len() as f64)
}

pub(super) fn last(samples: &Samples<'_>, _: &[f64]) -> Option<f64> {
    samples.points.last().map(|(_, value)| *value)
}

pub(super) fn minimum(samples: &Samples<'_>, _: &[f64]) -> Option<f64> {
    let values: Vec<f64> = samples.values().collect();
    Some(extreme(&values, |value, least| value < least))
}

pub(super) fn maximum(samples: &Samples<'_>, _: &[f64]) -> Option<f64> {
    let values: Vec<f64> = samples.values().collect();
    Some(extreme(&values, |value, most| value > most))
}

pub(super) fn variance(samples: &Samples<'_>, _: &[f64]) -> Option<f64> {
    Some(sum::variance(samples.values()))
}

pub(super) fn deviation(samples: &Samples<'_>, _: &[f64]) -> Option<f64> {
    Some(sum::variance(samples.values()).sqrt())
}

pub(super) fn quantile(samples: &Samples<'_>, params: &[f64]) -> Option<f64> {
    Some(sum::quantile(params[0], samples.values().collect()))
}

/// How often the value changed; `NaN` after `NaN` is no change.
pub(super) fn changes(samples: &Samples<'_>, _: &[f64]) -> Option<f64> {
    Some(steps(samples, |before, after| {
        before != after && !(before.is_nan() && after.is_nan())
    }))
}

/// How often the value fell.
pub(super) fn resets(samples: &Samples<'_>, _: &[f64]) -> Option<f64> {
    Some(steps(samples, |before, after| after < before))
}

fn steps(samples: &Samples<'_>, counts: impl Fn(f64, f64) -> bool) -> f64 {
    let pairs = samples.values().zip(samples.values().skip(1));
    pairs
        .filter(|(before, after)| counts(*before, *after))
        .count() as f64
}
