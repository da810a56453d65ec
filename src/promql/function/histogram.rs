//! Quantiles and shares from the buckets of classic histograms (series with a label `le`).

use std::collections::HashMap;

use crate::promql::EvalError;
use crate::promql::evaluate::{Entry, Evaluation, Outcome};
use crate::promql::expr::Expr;
use crate::sample::{Labels, Sources};

/// Counts that differ relatively by less were the same before rounding.
const ROUNDING: f64 = 1e-12;

/// `histogram_quantile(q, buckets)`.
pub(super) fn quantile(
    evaluation: &Evaluation<'_>,
    arguments: &[Expr],
    now: i64,
) -> Result<Outcome, EvalError> {
    let (q, sources) = evaluation.number(&arguments[0], now)?;
    let entries = evaluation.vector(&arguments[1], now)?;
    Ok(per_histogram(entries, &sources, |buckets| {
        quantile_of(q, &rising(buckets))
    }))
}

/// `histogram_fraction(lower, upper, buckets)`.
pub(super) fn fraction(
    evaluation: &Evaluation<'_>,
    arguments: &[Expr],
    now: i64,
) -> Result<Outcome, EvalError> {
    let (lower, ours) = evaluation.number(&arguments[0], now)?;
    let (upper, theirs) = evaluation.number(&arguments[1], now)?;
    let entries = evaluation.vector(&arguments[2], now)?;
    Ok(per_histogram(entries, &ours.union(&theirs), |buckets| {
        fraction_of(lower, upper, buckets)
    }))
}

/// How many observations were at most as large as a bound.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    bound: f64,
    count: f64,
}

/// Applies `read` to the buckets of each histogram, in order of their bounds, each bound once.
fn per_histogram(entries: Vec<Entry>, also: &Sources, read: impl Fn(&[Bucket]) -> f64) -> Outcome {
    let mut places: HashMap<Labels, usize> = HashMap::new();
    let mut histograms: Vec<(Entry, Vec<Bucket>)> = Vec::new();
    for entry in entries {
        let Ok(bound) = entry.labels.get("le").parse::<f64>() else {
            continue;
        };
        let bucket = Bucket {
            bound,
            count: entry.value,
        };
        let labels = entry.labels.with("le", "");
        if let Some(place) = places.get(&labels) {
            let (whole, buckets) = &mut histograms[*place];
            whole.sources = whole.sources.union(&entry.sources);
            buckets.push(bucket);
        } else {
            places.insert(labels.clone(), histograms.len());
            let whole = Entry {
                labels,
                drop_name: true,
                ..entry
            };
            histograms.push((whole, vec![bucket]));
        }
    }
    let results = histograms.into_iter().map(|(whole, buckets)| Entry {
        value: read(&ordered(buckets)),
        sources: whole.sources.union(also),
        ..whole
    });
    Outcome::Vector(results.collect())
}

fn ordered(mut buckets: Vec<Bucket>) -> Vec<Bucket> {
    buckets.sort_by(|a, b| a.bound.total_cmp(&b.bound));
    let mut ordered: Vec<Bucket> = Vec::with_capacity(buckets.len());
    for bucket in buckets {
        match ordered.last_mut() {
            Some(last) if last.bound == bucket.bound => last.count += bucket.count,
            _ => ordered.push(bucket),
        }
    }
    ordered
}

/// The same with counts that never fall: a bucket that was read a moment earlier than the one before it may have less.
fn rising(buckets: &[Bucket]) -> Vec<Bucket> {
    let mut rising = buckets.to_vec();
    let mut most = rising.first().map_or(0.0, |bucket| bucket.count);
    for bucket in rising.iter_mut().skip(1) {
        if bucket.count < most || same(bucket.count, most) {
            bucket.count = most;
        }
        most = bucket.count;
    }
    rising
}

fn same(a: f64, b: f64) -> bool {
    let size = a.abs() + b.abs();
    a == b || (a - b).abs() / size.min(f64::MAX) < ROUNDING
}

fn quantile_of(q: f64, buckets: &[Bucket]) -> f64 {
    if q.is_nan() {
        return f64::NAN;
    }
    if q < 0.0 {
        return f64::NEG_INFINITY;
    }
    if q > 1.0 {
        return f64::INFINITY;
    }
    let [inner @ .., last] = buckets else {
        return f64::NAN;
    };
    if last.bound != f64::INFINITY || inner.is_empty() || last.count == 0.0 {
        return f64::NAN;
    }
    let rank = q * last.count;
    let place = inner.partition_point(|bucket| bucket.count < rank || bucket.count.is_nan());
    let Some(found) = inner.get(place) else {
        return inner[inner.len() - 1].bound;
    };
    if place == 0 && found.bound <= 0.0 {
        return found.bound;
    }
    let below = match place {
        0 => Bucket {
            bound: 0.0,
            count: 0.0,
        },
        _ => inner[place - 1],
    };
    let share = (rank - below.count) / (found.count - below.count);
    below.bound + (found.bound - below.bound) * share
}

fn fraction_of(lower: f64, upper: f64, buckets: &[Bucket]) -> f64 {
    let Some(last) = buckets.last() else {
        return f64::NAN;
    };
    let unusable = last.bound != f64::INFINITY || last.count == 0.0;
    if unusable || last.count.is_nan() || lower.is_nan() || upper.is_nan() {
        return f64::NAN;
    }
    if lower >= upper {
        return 0.0;
    }
    let rank = |value| rank_at(value, buckets).min(last.count);
    (rank(upper) - rank(lower)) / last.count
}

/// How many observations were at most as large as a value, evenly spread within a bucket. Of a bucket that is open at one
/// end nothing more is known than its count, so there it is that of the bucket with a bound below infinity.
fn rank_at(value: f64, buckets: &[Bucket]) -> f64 {
    let place = buckets.partition_point(|bucket| bucket.bound <= value);
    let (below, found) = match (place.checked_sub(1), buckets.get(place)) {
        (Some(below), Some(found)) => (buckets[below], found),
        (None, Some(_)) if value == f64::NEG_INFINITY => return 0.0,
        (None, Some(found)) => return found.count,
        (_, None) => return buckets.last().map_or(0.0, |bucket| bucket.count),
    };
    if value == below.bound || found.bound.is_infinite() {
        return below.count;
    }
    let share = (value - below.bound) / (found.bound - below.bound);
    below.count + (found.count - below.count) * share
}
