//! How a number came to what it is: evenly spaced points for a small picture.

use std::collections::BTreeMap;
use std::time::Duration;

use super::facts::Declared;
use crate::promql::{Limits, Moments, Query, Value, evaluate, selector};
use crate::sample::Timestamp;
use crate::store::Store;

/// The course of a number up to now.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Trend {
    /// Evenly spaced, the last one now; `None` where nothing was known.
    pub points: Vec<Option<f64>>,
    /// From the first point to the last.
    pub span: Duration,
    /// The smallest of them in words.
    pub lowest: String,
    /// The largest of them in words.
    pub highest: String,
}

const POINTS: u32 = 60;
const LONGEST: Duration = Duration::from_secs(3 * 3_600);
const SHORTEST: Duration = Duration::from_secs(2 * 60);

/// How far back pictures go: no further than the history does, for most of it would be empty.
pub(super) fn span(store: &Store, now: Timestamp) -> Duration {
    let signs = selector("{__name__=~\"pg_up|pgbouncer_up|patroni_up\"}").unwrap_or_default();
    let signs = store.select(&signs, now.before(LONGEST), now);
    let first = signs.iter().filter_map(|series| series.points.first());
    let oldest = first.map(|(at, _)| *at).min();
    oldest.map_or(SHORTEST, |oldest| {
        now.since(oldest).clamp(SHORTEST, LONGEST)
    })
}

/// The course of a declared number for each value of one label; none where there are fewer than two points.
pub(super) fn trends(
    store: &Store,
    fact: &Declared,
    label: &str,
    span: Duration,
    now: Timestamp,
) -> BTreeMap<String, Trend> {
    let (start, step) = (now.before(span), span / POINTS);
    let moments = Moments::Range {
        start,
        end: now,
        step,
    };
    let query = Query::parse(fact.expression).ok();
    let answer = query.and_then(|query| evaluate(&query, store, moments, &Limits::default()).ok());
    let Some(Value::Matrix(all)) = answer.map(|answer| answer.value) else {
        return BTreeMap::new();
    };
    let each = all.into_iter().filter_map(|series| {
        let course = course(&series.points, start, span, |value| fact.unit.write(value))?;
        Some((series.labels.get(label).to_owned(), course))
    });
    each.collect()
}

/// The course of one series since `start`; `None` where there are fewer than two points.
pub(super) fn course(
    samples: &[(Timestamp, f64)],
    start: Timestamp,
    span: Duration,
    write: impl Fn(f64) -> String,
) -> Option<Trend> {
    let step = (span / POINTS).as_millis().max(1);
    let mut points = vec![None; POINTS as usize + 1];
    for (at, value) in samples {
        let place = (at.since(start).as_millis() / step) as usize;
        if let Some(point) = points.get_mut(place) {
            *point = Some(*value).filter(|value| value.is_finite());
        }
    }
    let known = || points.iter().flatten().copied();
    let trend = Trend {
        span,
        lowest: write(known().reduce(f64::min)?),
        highest: write(known().reduce(f64::max)?),
        points: points.clone(),
    };
    (known().count() > 1).then_some(trend)
}
