//! The one function that turns rows into samples, for every collector alike.

mod choice;
mod column;
mod instant;
mod labels;
mod rest;

use std::collections::HashSet;

use self::choice::{Choice, choice};
use self::column::{Column, NoNumber};
use self::labels::Lists;
use self::rest::Summing;
use super::Run;
use crate::sample::Sample;
use crate::server::{Row, Table};

pub use choice::Shown;
pub(super) use column::is_number;
pub use rest::Rest;

/// How much of an answer may be shown.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Room {
    /// The most series; `None` lifts every limit, the collector's own `top.rows` too.
    pub series: Option<usize>,
    /// What was shown after the last reading.
    pub shown: Shown,
}

/// The samples of one answer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sampled {
    /// In the order of the rows.
    pub samples: Vec<Sample>,
    /// Values left out: past the cap, duplicates, not numbers, and rows that could not be read.
    pub dropped: u64,
    /// How many series there would be with room for them.
    pub wanted: usize,
    /// What is shown now.
    pub shown: Shown,
    /// What `top` has left out.
    pub rest: Option<Rest>,
}

/// Turns an answer into samples. A NULL is an absent sample; a duplicate series or a value that is no number costs
/// itself. Where there is not room for all, a collector with `top` shows the rows it chooses and sums up the others; of
/// any other the last rows are left out whole.
pub fn samples(run: &Run, table: &Table, room: &Room) -> Sampled {
    let pivoted = run.collector.pivot.as_ref().map(|pivot| pivot.apply(table));
    let table = pivoted.as_ref().unwrap_or(table);
    let mut lists = Lists::default();
    let metrics = run.collector.metrics.iter();
    let columns: Vec<Column> = metrics
        .filter_map(|metric| Column::of(metric, table, &mut lists))
        .collect();
    let names = |column: &Column| column.metric.families(run.aliases).count();
    let series = |row: Row| -> usize {
        let known = columns.iter().filter(|column| column.is_known(row, &lists));
        known.map(names).sum()
    };
    let widest = columns.iter().map(names).sum();
    let Choice {
        kept,
        wanted,
        shown,
    } = match &run.collector.top {
        Some(top) => choice(top, table, room, series, widest),
        None => Choice {
            kept: vec![true; table.rows().len()],
            wanted: table.rows().map(series).sum(),
            ..Choice::default()
        },
    };
    let mut sampled = Sampled {
        dropped: table.unreadable,
        wanted,
        shown,
        ..Sampled::default()
    };
    let cap = room.series.unwrap_or(usize::MAX);
    let mut rest = Summing::over(&columns);
    let mut seen = HashSet::new();
    let mut full = false;
    for (row, kept) in table.rows().zip(kept) {
        if !kept {
            sampled.dropped += rest.add(row, &lists);
            continue;
        }
        let labels = lists.of(row);
        let mut of_row = Vec::with_capacity(widest);
        for column in &columns {
            match column.sample(table, row, &lists, &labels) {
                Ok(Some(sample)) => {
                    if run.aliases {
                        of_row.extend(column.older(&sample));
                    }
                    of_row.push(sample);
                }
                Ok(None) => {}
                Err(NoNumber) => sampled.dropped += 1,
            }
        }
        full |= sampled.samples.len() + of_row.len() > cap;
        for sample in of_row {
            if !full && seen.insert((sample.family.name.clone(), sample.labels.clone())) {
                sampled.samples.push(sample);
            } else {
                sampled.dropped += 1;
            }
        }
    }
    sampled.rest = rest.done();
    sampled
}

#[cfg(test)]
mod tests;
