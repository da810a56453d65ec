//! Which rows of an answer are shown when not all of them may be.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::Room;
use crate::collectors::declaration::Top;
use crate::collectors::top::choose;
use crate::server::{Row, Table};

/// The ranked rows that were shown, each by a hash of its labels.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Shown(HashSet<u64>);

/// A choice among the rows.
#[derive(Debug, Default)]
pub(super) struct Choice {
    /// Of each row whether it is shown.
    pub(super) kept: Vec<bool>,
    /// The series of all rows, as far as the collector's own limit lets them be shown.
    pub(super) wanted: usize,
    /// What is shown, for the next reading.
    pub(super) shown: Shown,
}

/// Chooses by `top`. `series` says how many series a row has, `widest` how many it can have at most. Rows whose ranking
/// columns are all NULL are shown in any case.
pub(super) fn choice(
    top: &Top,
    table: &Table,
    room: &Room,
    series: impl Fn(Row) -> usize,
    widest: usize,
) -> Choice {
    let by: Vec<usize> = top.by.iter().filter_map(|name| table.place(name)).collect();
    let labels = top.labels.iter();
    let labels: Vec<usize> = labels.filter_map(|name| table.place(name)).collect();
    let (mut ranked, mut unranked) = (Vec::new(), 0);
    let mut columns = vec![Vec::new(); by.len()];
    let mut wanted = 0;
    for (place, row) in table.rows().enumerate() {
        wanted += series(row);
        if by.iter().all(|column| row.cell(*column).is_none()) {
            unranked += series(row);
            continue;
        }
        ranked.push((place, row));
        for (column, place) in columns.iter_mut().zip(&by) {
            let number = row.cell(*place).and_then(|cell| cell.parse().ok());
            column.push(number.unwrap_or(f64::NEG_INFINITY));
        }
    }
    let name = |ranked: &(usize, Row)| identity(ranked.1, &labels);
    let limit = match room.series {
        Some(_) => top.rows.unwrap_or(usize::MAX),
        None => usize::MAX,
    };
    if ranked.len() > limit {
        wanted = wanted.min(unranked + limit * widest);
    }
    let mut kept = vec![true; table.rows().len()];
    let cap = room.series.unwrap_or(usize::MAX);
    if ranked.len() > limit || wanted > cap {
        let fitting = cap.saturating_sub(unranked) / widest.max(1);
        let cells = |row: usize| cells(ranked[row].1, &labels);
        let before = |row: usize| room.shown.0.contains(&name(&ranked[row]));
        let chosen = choose(&columns, cells, before, fitting.min(limit));
        for ((place, _), chosen) in ranked.iter().zip(chosen) {
            kept[*place] = chosen;
        }
    }
    let shown = ranked.iter().filter(|(place, _)| kept[*place]);
    Choice {
        shown: Shown(shown.map(name).collect()),
        kept,
        wanted,
    }
}

fn cells<'t>(row: Row<'t>, labels: &[usize]) -> Vec<Option<&'t str>> {
    labels.iter().map(|place| row.cell(*place)).collect()
}

fn identity(row: Row, labels: &[usize]) -> u64 {
    let mut hasher = DefaultHasher::new();
    cells(row, labels).hash(&mut hasher);
    hasher.finish()
}
