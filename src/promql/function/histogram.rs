//! Quantiles and shares from the buckets of classic histograms (series with a label `le`).

use std::cmp::Ordering;
use std::collections::HashMap;

use crate::promql::EvalError;
use crate::promql::evaluate::{Evaluation, Outcome};
use crate::promql::expr::Call;
use crate::promql::grid::Grid;
use crate::promql::rows::{Head, Rows, is_present};
use crate::sample::{Labels, Sources};

/// Counts that differ relatively by less were the same before rounding.
const ROUNDING: f64 = 1e-12;

/// `histogram_quantile(q, buckets)`.
pub(super) fn quantile(
    evaluation: &Evaluation<'_>,
    call: &Call,
    grid: Grid,
) -> Result<Outcome, EvalError> {
    let q = evaluation.numbers(&call.arguments[0], grid)?;
    let rows = evaluation.rows(&call.arguments[1], grid)?;
    for value in &q.values {
        if !(0.0..=1.0).contains(value) {
            let mut notes = evaluation.notes.borrow_mut();
            notes.quantile(*value, call.place(0));
        }
    }
    let histograms = Histograms::of(evaluation, &rows, call.place(1));
    histograms.each(evaluation, &q.sources, |place, head, buckets| {
        let (value, was_forced) = quantile_of(q.values[place], buckets);
        if was_forced {
            let mut notes = evaluation.notes.borrow_mut();
            notes.monotonicity(head.labels.metric(), call.place(1));
        }
        value
    })
}

/// `histogram_fraction(lower, upper, buckets)`.
pub(super) fn fraction(
    evaluation: &Evaluation<'_>,
    call: &Call,
    grid: Grid,
) -> Result<Outcome, EvalError> {
    let lower = evaluation.numbers(&call.arguments[0], grid)?;
    let upper = evaluation.numbers(&call.arguments[1], grid)?;
    let rows = evaluation.rows(&call.arguments[2], grid)?;
    let sources = lower.sources.union(&upper.sources);
    let histograms = Histograms::of(evaluation, &rows, call.place(2));
    histograms.each(evaluation, &sources, |place, _, buckets| {
        fraction_of(lower.values[place], upper.values[place], buckets)
    })
}

/// How many observations were at most as large as a bound.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    bound: f64,
    count: f64,
}

/// The rows of a vector as histograms: those that differ in `le` alone belong together.
struct Histograms<'r> {
    rows: &'r Rows,
    histograms: Vec<(Head, Vec<(f64, usize)>)>,
}

impl<'r> Histograms<'r> {
    fn of(evaluation: &Evaluation<'_>, rows: &'r Rows, place: Option<usize>) -> Self {
        let mut places: HashMap<Labels, usize> = HashMap::new();
        let mut histograms: Vec<(Head, Vec<(f64, usize)>)> = Vec::new();
        for (row, head) in rows.heads().iter().enumerate() {
            let le = head.labels.get("le");
            let Some(bound) = bound(le) else {
                let mut notes = evaluation.notes.borrow_mut();
                notes.bucket(le, head.labels.metric(), place);
                continue;
            };
            let labels = head.labels.with("le", "");
            let at = *places.entry(labels).or_insert_with_key(|labels| {
                let whole = Head {
                    labels: labels.clone(),
                    sources: Sources::default(),
                    drop_name: true,
                };
                histograms.push((whole, Vec::new()));
                histograms.len() - 1
            });
            let (whole, buckets) = &mut histograms[at];
            whole.sources = whole.sources.union(&head.sources);
            buckets.push((bound, row));
        }
        Histograms { rows, histograms }
    }

    /// Applies `read` to the buckets that each histogram has at each moment, in order of their bounds, each bound once.
    fn each(
        self,
        evaluation: &Evaluation<'_>,
        also: &Sources,
        read: impl Fn(usize, &Head, &mut [Bucket]) -> f64,
    ) -> Result<Outcome, EvalError> {
        let rows = self.rows;
        let mut results = Rows::with_capacity(rows.width(), self.histograms.len());
        let mut buckets = Vec::new();
        for (head, mut members) in self.histograms {
            evaluation.go_on()?;
            members.sort_by(|(a, _), (b, _)| a.total_cmp(b));
            let named = Head {
                sources: head.sources.union(also),
                ..head.clone()
            };
            results.push(named, |out| {
                for (place, value) in out.iter_mut().enumerate() {
                    gather(&mut buckets, rows, &members, place);
                    if !buckets.is_empty() {
                        *value = read(place, &head, &mut buckets);
                    }
                }
            });
        }
        Ok(Outcome::Rows(results))
    }
}

/// The buckets of a histogram at a moment; counts of the same bound are added.
fn gather(buckets: &mut Vec<Bucket>, rows: &Rows, members: &[(f64, usize)], place: usize) {
    buckets.clear();
    for (bound, row) in members {
        let count = rows.row(*row)[place];
        match buckets.last_mut() {
            _ if !is_present(count) => {}
            Some(last) if last.bound == *bound => last.count += count,
            _ => buckets.push(Bucket {
                bound: *bound,
                count,
            }),
        }
    }
}

/// A bound as Go reads it.
fn bound(le: &str) -> Option<f64> {
    le.parse().ok()
}

/// Raises counts that are below one before them: a bucket that was read a moment earlier may have less. Says whether any
/// was raised by more than rounding explains.
fn raise(buckets: &mut [Bucket]) -> bool {
    let mut most = buckets.first().map_or(0.0, |bucket| bucket.count);
    let mut was_forced = false;
    for bucket in buckets.iter_mut().skip(1) {
        if same(bucket.count, most) {
            bucket.count = most;
        } else if bucket.count < most {
            bucket.count = most;
            was_forced = true;
        }
        most = bucket.count;
    }
    was_forced
}

fn same(a: f64, b: f64) -> bool {
    let size = a.abs() + b.abs();
    a == b || (a - b).abs() / size.min(f64::MAX) < ROUNDING
}

/// The quantile, and whether counts had to be raised for it.
fn quantile_of(q: f64, buckets: &mut [Bucket]) -> (f64, bool) {
    if q.is_nan() {
        return (f64::NAN, false);
    }
    if !(0.0..=1.0).contains(&q) {
        return (f64::INFINITY.copysign(q), false);
    }
    if buckets
        .last()
        .is_none_or(|last| last.bound != f64::INFINITY)
    {
        return (f64::NAN, false);
    }
    let was_forced = raise(buckets);
    (among_rising(q, buckets), was_forced)
}

fn among_rising(q: f64, buckets: &[Bucket]) -> f64 {
    let [inner @ .., last] = buckets else {
        return f64::NAN;
    };
    if inner.is_empty() || last.count == 0.0 {
        return f64::NAN;
    }
    let rank = q * last.count;
    // Where either is `NaN` the search goes on to the end, as Go's does.
    let is_below = |bucket: &Bucket| bucket.count.partial_cmp(&rank).is_none_or(Ordering::is_lt);
    let place = inner.partition_point(is_below);
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
    if unusable || lower.is_nan() || upper.is_nan() {
        return f64::NAN;
    }
    if lower >= upper {
        return 0.0;
    }
    let rank = |value| match rank_at(value, buckets) {
        rank if rank > last.count => last.count,
        rank => rank,
    };
    (rank(upper) - rank(lower)) / last.count
}

/// How many observations were at most as large as a value, evenly spread within a bucket. The first bucket begins at 0
/// where its bound is above that. Of a bucket that is open at one end nothing more is known than its count, so that the
/// observations in it count on neither side.
fn rank_at(value: f64, buckets: &[Bucket]) -> f64 {
    let opens = match buckets.first() {
        Some(first) if first.bound > 0.0 => 0.0,
        _ => f64::NEG_INFINITY,
    };
    let mut below = Bucket {
        bound: opens,
        count: 0.0,
    };
    for bucket in buckets {
        if below.bound >= value {
            return below.count;
        }
        if bucket.bound > value {
            let part = (value - below.bound) / (bucket.bound - below.bound);
            return match below.bound == f64::NEG_INFINITY {
                true => bucket.count,
                false => below.count + (bucket.count - below.count) * part,
            };
        }
        below = *bucket;
    }
    below.count
}
