//! What selectors and subqueries take from the store.

use std::collections::HashMap;

use super::EvalError;
use super::evaluate::Evaluation;
use super::expr::{Selector, Subquery};
use super::grid::Grid;
use super::rows::{Head, Rows, is_present};
use super::span::Track;
use crate::sample::{Labels, Sources, Timestamp, is_stale};

/// The newest sample of each series at each moment, unless it is too old or says that the series ended.
pub(super) fn newest(
    evaluation: &Evaluation<'_>,
    selector: &Selector,
    grid: Grid,
) -> Result<Rows, EvalError> {
    read(evaluation, selector, grid, |(_, value)| value)
}

/// The same with the times of the samples, in seconds, in the place of their values.
pub(super) fn times(
    evaluation: &Evaluation<'_>,
    selector: &Selector,
    grid: Grid,
) -> Result<Rows, EvalError> {
    read(evaluation, selector, grid, |(at, _)| at.seconds())
}

fn read(
    evaluation: &Evaluation<'_>,
    selector: &Selector,
    grid: Grid,
    shown: impl Fn((Timestamp, f64)) -> f64,
) -> Result<Rows, EvalError> {
    let (first, last) = evaluation.reach(selector, grid);
    let look_back = evaluation.look_back();
    if first == last {
        let after = Timestamp(first.saturating_sub(look_back));
        let latest = evaluation
            .store
            .latest(&selector.matchers, after, Timestamp(last));
        evaluation.hold(latest.len().saturating_mul(grid.count))?;
        let mut rows = Rows::with_capacity(grid.count, latest.len());
        for found in latest.into_iter().filter(|found| !is_stale(found.value)) {
            let value = shown((found.at, found.value));
            rows.push(head(found.labels, found.sources), |row| row.fill(value));
        }
        return Ok(rows);
    }
    let after = Timestamp(first.saturating_sub(look_back));
    let series = loaded(evaluation, selector, after, Timestamp(last))?;
    let mut rows = Rows::with_capacity(grid.count, series.len());
    for found in series {
        evaluation.hold(grid.count)?;
        let points = &found.points;
        rows.push(head(found.labels, found.sources), |row| {
            let mut next = 0;
            for (value, moment) in row.iter_mut().zip(grid.moments()) {
                let until = evaluation.shifted(&selector.shift, moment);
                while points.get(next).is_some_and(|(at, _)| at.0 <= until) {
                    next += 1;
                }
                let sample = next.checked_sub(1).map(|place| points[place]);
                let is_current = |(at, value): &(Timestamp, f64)| {
                    at.0 > until.saturating_sub(look_back) && !is_stale(*value)
                };
                if let Some(sample) = sample.filter(is_current) {
                    *value = shown(sample);
                }
            }
        });
    }
    Ok(rows)
}

/// All samples that the windows of a range selector reach, but for markers of the end of a series.
pub(super) fn tracks(
    evaluation: &Evaluation<'_>,
    selector: &Selector,
    range: i64,
    grid: Grid,
) -> Result<Vec<Track>, EvalError> {
    let (first, last) = evaluation.reach(selector, grid);
    let after = Timestamp(first.saturating_sub(range));
    let series = loaded(evaluation, selector, after, Timestamp(last))?;
    let tracks = series.into_iter().filter_map(|mut found| {
        found.points.retain(|(_, value)| !is_stale(*value));
        (!found.points.is_empty()).then(|| Track {
            head: head(found.labels, found.sources),
            points: found.points,
        })
    });
    Ok(tracks.collect())
}

/// What the inner expression of a subquery gives at all of its moments that the windows reach: multiples of its step.
pub(super) fn subquery(
    evaluation: &Evaluation<'_>,
    subquery: &Subquery,
    grid: Grid,
) -> Result<Vec<Track>, EvalError> {
    let step = subquery.step.unwrap_or(evaluation.subquery_step()).max(1);
    let first = evaluation.shifted(&subquery.shift, grid.start);
    let after = first.saturating_sub(subquery.range);
    let last = evaluation.shifted(&subquery.shift, grid.last());
    let mut start = step * (after / step);
    if start <= after {
        start = start.saturating_add(step);
    }
    let inner = Grid::over(start, last, step);
    let rows = evaluation.rows(&subquery.expr, inner)?;
    merged(&rows, inner)
}

/// Rows as series. Those of the same labels are one, as long as they never have a value at the same moment.
pub(super) fn merged(rows: &Rows, grid: Grid) -> Result<Vec<Track>, EvalError> {
    let mut tracks: Vec<Track> = Vec::with_capacity(rows.len());
    let mut places: HashMap<&Labels, usize> = HashMap::with_capacity(rows.len());
    for (head, values) in rows.iter() {
        let moments = grid.moments().map(Timestamp);
        let points = moments.zip(values.iter().copied());
        let points = points.filter(|(_, value)| is_present(*value));
        let place = *places.entry(&head.labels).or_insert(tracks.len());
        match tracks.get_mut(place) {
            None => tracks.push(Track {
                head: head.clone(),
                points: points.collect(),
            }),
            Some(track) => {
                track.head.sources = track.head.sources.union(&head.sources);
                track.points.extend(points);
                ordered(&mut track.points)?;
            }
        }
    }
    Ok(tracks)
}

/// Puts samples in order of time.
///
/// # Errors
/// Two of them are of the same time.
pub(super) fn ordered(points: &mut [(Timestamp, f64)]) -> Result<(), EvalError> {
    points.sort_by_key(|(at, _)| *at);
    match points.windows(2).any(|pair| pair[0].0 == pair[1].0) {
        true => Err(EvalError::Failed(super::SAME_LABELS.into())),
        false => Ok(()),
    }
}

fn loaded(
    evaluation: &Evaluation<'_>,
    selector: &Selector,
    after: Timestamp,
    until: Timestamp,
) -> Result<Vec<crate::store::Series>, EvalError> {
    let room = evaluation.room();
    let series = evaluation
        .store
        .select_up_to(&selector.matchers, after, until, room);
    let series = series.ok_or(EvalError::TooManySamples)?;
    evaluation.hold(series.iter().map(|found| found.points.len()).sum())?;
    Ok(series)
}

fn head(labels: Labels, sources: Sources) -> Head {
    Head {
        labels,
        sources,
        drop_name: false,
    }
}
