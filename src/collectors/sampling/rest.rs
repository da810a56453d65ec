//! What the rows that are not shown come to.

use std::sync::Arc;

use super::column::{Column, NoNumber};
use super::labels::Lists;
use crate::collectors::metric::Remainder;
use crate::server::Row;

/// The rows left out by `top`, summed up.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rest {
    /// How many they are.
    pub rows: u64,
    /// By metric, as it declares; without those of which they have no value.
    pub values: Vec<(Arc<str>, f64)>,
}

/// A remainder in the making: a value for each column.
pub(super) struct Summing<'a> {
    rows: u64,
    values: Vec<(&'a Column<'a>, Option<f64>)>,
}

impl<'a> Summing<'a> {
    pub(super) fn over(columns: &'a [Column<'a>]) -> Self {
        let counted = columns.iter();
        let counted = counted.filter(|column| column.metric.rest != Remainder::None);
        Summing {
            rows: 0,
            values: counted.map(|column| (column, None)).collect(),
        }
    }

    /// Adds a row; says how many of its values are no numbers.
    pub(super) fn add(&mut self, row: Row, lists: &Lists) -> u64 {
        self.rows += 1;
        let mut unreadable = 0;
        for (column, sum) in &mut self.values {
            match column.value(row, lists) {
                Ok(Some(value)) => {
                    let so_far = sum.unwrap_or(match column.metric.rest {
                        Remainder::Max => f64::NEG_INFINITY,
                        _ => 0.0,
                    });
                    *sum = Some(match column.metric.rest {
                        Remainder::Max => so_far.max(value),
                        _ => so_far + value,
                    });
                }
                Ok(None) => {}
                Err(NoNumber) => unreadable += 1,
            }
        }
        unreadable
    }

    /// The remainder; `None` when nothing was left out.
    pub(super) fn done(self) -> Option<Rest> {
        let values = self.values.into_iter();
        let known = values.filter_map(|(column, sum)| Some((column.name(), sum?)));
        (self.rows > 0).then(|| Rest {
            rows: self.rows,
            values: known.collect(),
        })
    }
}
