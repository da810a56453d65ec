//! What was found when an incident opened: the rows that explain it.

use serde::{Deserialize, Serialize};

use crate::sample::Timestamp;

/// More text than this is not kept of one answer: rows are left out from the end.
const MOST_TEXT: usize = 32 << 10;

/// A last column with longer texts than this, in characters, gets lines of its own wherever it is shown.
const LONG: usize = 24;

/// The answer to one declared query, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The query's name.
    pub query: String,
    /// What the rows are, for a heading.
    pub title: String,
    /// The server it was read from.
    pub server: String,
    /// When.
    pub at: Timestamp,
    /// The names of the columns.
    pub columns: Vec<String>,
    /// As many texts each as there are columns.
    pub rows: Vec<Vec<String>>,
    /// How many rows were left out.
    pub more: usize,
    /// Why there are no rows; empty when the query was answered.
    pub error: String,
}

impl Evidence {
    /// The place of the last column when its texts are too long to stand beside others.
    pub fn long_column(&self) -> Option<usize> {
        let last = self.columns.len().checked_sub(1).filter(|last| *last > 0)?;
        let mut texts = self.rows.iter().filter_map(|row| row.get(last));
        texts
            .any(|text| text.chars().count() > LONG)
            .then_some(last)
    }

    /// The places of the other columns, as far as they say anything.
    pub fn short_columns(&self) -> Vec<usize> {
        let long = self.long_column();
        let says = |place: &usize| {
            let mut rows = self.rows.iter().filter_map(|row| row.get(*place));
            rows.any(|text| !text.is_empty())
        };
        let places = 0..self.columns.len();
        places
            .filter(|place| Some(*place) != long)
            .filter(says)
            .collect()
    }

    /// The same with no more text than is kept.
    pub(super) fn within_bounds(&self) -> Evidence {
        let mut room = MOST_TEXT;
        let fits = |row: &&Vec<String>| {
            let length: usize = row.iter().map(String::len).sum();
            let left = room.checked_sub(length);
            room = left.unwrap_or_default();
            left.is_some()
        };
        let kept = self.rows.iter().take_while(fits).count();
        let mut bounded = self.clone();
        bounded.more += bounded.rows.len() - kept;
        bounded.rows.truncate(kept);
        bounded
    }
}
