//! What selectors take from the store: the newest sample of each series, or all of a span.

use std::collections::HashMap;

use super::EvalError;
use super::evaluate::{Entry, Row};
use crate::sample::{Labels, Timestamp, is_stale};
use crate::store::{Latest, Matcher, Series, Store};

/// What a selector has read, once per evaluation.
#[derive(Debug)]
pub(super) enum Loaded {
    /// It looks at one moment, so the newest samples are enough.
    Latest(Vec<Latest>),
    /// It looks at several moments or at a range.
    Series(Vec<Series>),
}

/// All that a selector looks at during an evaluation.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Window {
    pub(super) after: i64,
    pub(super) until: i64,
    /// It looks at one moment, and there for the newest sample alone.
    pub(super) newest_only: bool,
}

/// Reads what a selector needs.
pub(super) fn load(store: &Store, matchers: &[Matcher], window: Window) -> Loaded {
    let (after, until) = (Timestamp(window.after), Timestamp(window.until));
    match window.newest_only {
        true => Loaded::Latest(store.latest(matchers, after, until)),
        false => Loaded::Series(store.select(matchers, after, until)),
    }
}

/// The newest sample of each series in `(after, until]`, unless it says that the series ended.
pub(super) fn newest(loaded: &Loaded, after: i64, until: i64) -> Vec<Entry> {
    match loaded {
        Loaded::Latest(latest) => latest
            .iter()
            .filter(|latest| latest.at.0 > after && latest.at.0 <= until)
            .filter(|latest| !is_stale(latest.value))
            .map(|latest| Entry {
                labels: latest.labels.clone(),
                value: latest.value,
                sources: latest.sources.clone(),
                drop_name: false,
                at: latest.at.0,
            })
            .collect(),
        Loaded::Series(series) => series
            .iter()
            .filter_map(|series| {
                let points = within(&series.points, after, until);
                let (at, value) = points.last().filter(|(_, value)| !is_stale(*value))?;
                Some(Entry {
                    labels: series.labels.clone(),
                    value: *value,
                    sources: series.sources.clone(),
                    drop_name: false,
                    at: at.0,
                })
            })
            .collect(),
    }
}

/// The samples of each series in `(after, until]`; markers of the end of a series are left out.
pub(super) fn spans(loaded: &Loaded, after: i64, until: i64) -> Vec<Row> {
    match loaded {
        // Ranges are never read this way.
        Loaded::Latest(_) => Vec::new(),
        Loaded::Series(series) => series
            .iter()
            .filter_map(|series| {
                let points = within(&series.points, after, until).iter();
                let points: Vec<_> = points.copied().filter(|(_, v)| !is_stale(*v)).collect();
                (!points.is_empty()).then(|| Row {
                    labels: series.labels.clone(),
                    sources: series.sources.clone(),
                    drop_name: false,
                    points,
                })
            })
            .collect(),
    }
}

fn within(points: &[(Timestamp, f64)], after: i64, until: i64) -> &[(Timestamp, f64)] {
    let from = points.partition_point(|(at, _)| at.0 <= after);
    let to = points.partition_point(|(at, _)| at.0 <= until);
    &points[from..to.max(from)]
}

/// Collects elements of many moments into series, in the order in which they first appear.
#[derive(Default)]
pub(super) struct Rows {
    rows: Vec<Row>,
    places: HashMap<(Labels, bool), usize>,
}

impl Rows {
    /// Adds an element; moments must not go back.
    ///
    /// # Errors
    /// Two elements of one moment have the same labels.
    pub(super) fn push(&mut self, moment: i64, entry: Entry) -> Result<(), EvalError> {
        let key = (entry.labels, entry.drop_name);
        let Some(place) = self.places.get(&key) else {
            self.places.insert(key.clone(), self.rows.len());
            self.rows.push(Row {
                labels: key.0,
                sources: entry.sources,
                drop_name: key.1,
                points: vec![(Timestamp(moment), entry.value)],
            });
            return Ok(());
        };
        let row = &mut self.rows[*place];
        if row.points.last().is_some_and(|(at, _)| at.0 == moment) {
            return Err(EvalError::Failed(super::SAME_LABELS.into()));
        }
        row.sources = row.sources.union(&entry.sources);
        row.points.push((Timestamp(moment), entry.value));
        Ok(())
    }

    /// The series.
    pub(super) fn finish(self) -> Vec<Row> {
        self.rows
    }
}
