//! What the store holds, counted by label.

use std::cmp::Reverse;

use super::Store;
use super::index::{Id, Values};
use crate::sample::{NAME, Timestamp};

/// Texts with a count each, the greatest first, equal ones by their texts.
pub type Ranking = Vec<(String, u64)>;

/// What Prometheus tells of the head of its database at `/api/v1/status/tsdb`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Statistics {
    /// Series with at least one sample.
    pub series: u64,
    /// Different pairs of label name and value.
    pub label_pairs: u64,
    /// Chunks, the growing ones included.
    pub chunks: u64,
    /// The time of the oldest sample; `None` where there is none.
    pub oldest: Option<Timestamp>,
    /// The time of the newest sample.
    pub newest: Option<Timestamp>,
    /// Metric names by their series.
    pub series_by_metric: Ranking,
    /// Label names by their values.
    pub values_by_label: Ranking,
    /// Label names by the bytes of themselves and their values in all series, as if nothing were shared.
    pub bytes_by_label: Ranking,
    /// `name=value` by the series that carry it.
    pub series_by_pair: Ranking,
}

impl Store {
    /// What it holds, each ranking cut after `limit`.
    pub fn statistics(&self, limit: usize) -> Statistics {
        let held = self.read();
        let (shelf, names) = (&held.shelf, held.shelf.index());
        let all = || shelf.all();
        let metrics = names.values(NAME).into_iter().flatten();
        let pairs = names.names().flat_map(|(name, values)| {
            let values = values.iter();
            values.map(move |(value, ids)| ((name, value), count(ids)))
        });
        let label_pairs = names.names().map(|(_, values)| values.len() as u64);
        Statistics {
            series: all().count() as u64,
            label_pairs: label_pairs.sum(),
            chunks: all().map(|series| series.closed().len() as u64 + 1).sum(),
            oldest: shelf.oldest(),
            newest: all().map(|series| series.newest().0).max(),
            series_by_metric: top(
                limit,
                metrics.map(|(name, ids)| (name, count(ids))),
                |name| name.to_string(),
            ),
            values_by_label: top(
                limit,
                names
                    .names()
                    .map(|(name, values)| (name, values.len() as u64)),
                |name| name.to_string(),
            ),
            bytes_by_label: top(
                limit,
                names
                    .names()
                    .map(|(name, values)| (name, bytes(name, values))),
                |name| name.to_string(),
            ),
            series_by_pair: top(limit, pairs, |(name, value)| format!("{name}={value}")),
        }
    }
}

fn count(ids: &[Id]) -> u64 {
    ids.len() as u64
}

/// Prometheus writes the length of a text before it, in one byte where it is short.
fn bytes(name: &str, values: &Values) -> u64 {
    let text = |text: &str| (text.len() + if text.len() < 255 { 1 } else { 4 }) as u64;
    let values = values.iter();
    values
        .map(|(value, ids)| (text(name) + text(value)) * count(ids))
        .sum()
}

/// The greatest, made into texts only once they are known.
fn top<T: Ord>(
    limit: usize,
    counted: impl Iterator<Item = (T, u64)>,
    text: impl Fn(&T) -> String,
) -> Ranking {
    let mut all: Vec<(Reverse<u64>, T)> = counted
        .map(|(what, count)| (Reverse(count), what))
        .collect();
    if limit < all.len() {
        all.select_nth_unstable(limit);
        all.truncate(limit);
    }
    all.sort_unstable();
    let all = all.iter();
    all.map(|(Reverse(count), what)| (text(what), *count))
        .collect()
}
