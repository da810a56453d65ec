//! How much a value grew in a range, reaching beyond the first and last sample as Prometheus does.

use super::Samples;

pub(super) fn rate(samples: &Samples<'_>, _: &[f64]) -> Option<f64> {
    let seconds = (samples.end - samples.start) as f64 / 1000.0;
    let (grown, factor) = growth(samples, true)?;
    Some(grown * (factor / seconds))
}

pub(super) fn increase(samples: &Samples<'_>, _: &[f64]) -> Option<f64> {
    growth(samples, true).map(|(grown, factor)| grown * factor)
}

pub(super) fn delta(samples: &Samples<'_>, _: &[f64]) -> Option<f64> {
    growth(samples, false).map(|(grown, factor)| grown * factor)
}

pub(super) fn irate(samples: &Samples<'_>, _: &[f64]) -> Option<f64> {
    let [.., (before_at, before), (at, value)] = samples.points else {
        return None;
    };
    let grown = if value < before {
        *value
    } else {
        value - before
    };
    Some(grown / ((at.0 - before_at.0) as f64 / 1000.0))
}

pub(super) fn idelta(samples: &Samples<'_>, _: &[f64]) -> Option<f64> {
    match samples.points {
        [.., (_, before), (_, value)] => Some(value - before),
        _ => None,
    }
}

/// The growth between the first and the last sample, and what it is multiplied by for the whole range. The slope between
/// the samples is carried on to the edge of the range where the next sample could be expected there (within 1.1
/// intervals), else for half an interval; a counter is not carried below zero.
fn growth(samples: &Samples<'_>, counter: bool) -> Option<(f64, f64)> {
    let [(first_at, first), .., (last_at, last)] = samples.points else {
        return None;
    };
    let mut grown = last - first;
    if counter {
        grown = with_resets(grown, samples);
    }
    let sampled = (last_at.0 - first_at.0) as f64 / 1000.0;
    let interval = sampled / (samples.points.len() - 1) as f64;
    let reach = |gap: i64| match gap as f64 / 1000.0 {
        gap if gap >= interval * 1.1 => interval / 2.0,
        gap => gap,
    };
    let mut before = reach(first_at.0 - samples.start);
    if counter && grown > 0.0 && *first >= 0.0 {
        before = before.min(sampled * (first / grown));
    }
    let after = reach(samples.end - last_at.0);
    Some((grown, (sampled + before + after) / sampled))
}

/// The growth with what each reset has taken from it.
fn with_resets(grown: f64, samples: &Samples<'_>) -> f64 {
    let pairs = samples.values().zip(samples.values().skip(1));
    let falls = pairs.filter(|(before, after)| after < before);
    falls.fold(grown, |grown, (before, _)| grown + before)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Timestamp;

    type Function = fn(&Samples<'_>, &[f64]) -> Option<f64>;
    type Case<'a> = (&'a str, Function, &'a [(i64, f64)], Option<f64>);

    /// `function` over `(0 s, 100 s]` of samples given by second and value.
    fn over(function: Function, points: &[(i64, f64)]) -> Option<f64> {
        let points: Vec<_> = points
            .iter()
            .map(|(second, value)| (Timestamp(second * 1000), *value))
            .collect();
        let samples = Samples {
            points: &points,
            start: 0,
            end: 100_000,
            now: 100_000,
        };
        function(&samples, &[])
    }

    #[test]
    fn growth_is_carried_to_the_edges() {
        let steady = [(10, 100.0), (40, 130.0), (70, 160.0), (100, 190.0)];
        let late = [(50, 100.0), (60, 110.0), (70, 120.0)];
        let near_zero = [(50, 1.0), (60, 11.0), (70, 21.0)];
        let reset = [(10, 50.0), (40, 80.0), (70, 10.0), (100, 40.0)];
        let cases: [Case; 11] = [
            ("both edges are near", increase, &steady, Some(100.0)),
            ("per second", rate, &steady, Some(1.0)),
            ("half an interval at each end", increase, &late, Some(30.0)),
            ("not below zero", increase, &near_zero, Some(26.0)),
            ("a gauge may be below zero", delta, &near_zero, Some(30.0)),
            (
                "a reset loses nothing",
                increase,
                &reset,
                Some(70.0 * 100.0 / 90.0),
            ),
            ("a gauge falls", delta, &reset, Some(-10.0 * 100.0 / 90.0)),
            ("the last two", irate, &reset, Some(1.0)),
            (
                "a reset between the last two",
                irate,
                &reset[..3],
                Some(10.0 / 30.0),
            ),
            ("the last two of a gauge", idelta, &reset[..3], Some(-70.0)),
            ("one sample is not enough", rate, &steady[..1], None),
        ];
        for (what, function, points, expected) in cases {
            let got = over(function, points);
            let near = match (got, expected) {
                (Some(got), Some(expected)) => {
                    (got - expected).abs() < 1e-12 * expected.abs().max(1.0)
                }
                (got, expected) => got == expected,
            };
            assert!(near, "{what}: {got:?}, not {expected:?}");
        }
    }
}
