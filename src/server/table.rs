//! What a statement answered, as plain text cells, and the ways in which it can fail.

use std::sync::Arc;
use std::time::Duration;

/// Marks a cell that is NULL; the rest of the number is where its text ends.
const NULL: u32 = 1 << 31;

/// The rows of one answer. Cells are text as PostgreSQL writes it; `None` is NULL. All text is in one buffer, so that an
/// answer costs little more than what was said.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    columns: Vec<Arc<str>>,
    text: String,
    /// Where each cell ends in `text`, row after row.
    ends: Vec<u32>,
    /// Rows left out because a cell was not UTF-8.
    pub unreadable: u64,
}

/// One row of a [`Table`].
#[derive(Debug, Clone, Copy)]
pub struct Row<'t> {
    table: &'t Table,
    first: usize,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ReadError {
    /// 42P01, 42883, 42704, 42703: what it reads does not exist on this server.
    #[error("not on this server: {0}")]
    Absent(String),
    /// 42501: the role may not read it.
    #[error("{0}")]
    Denied(String),
    /// The role may not enter the database; with the way out.
    #[error("{0}")]
    NotAdmitted(String),
    /// The answer names rights that the role lacks; without them it would be silently empty.
    #[error("not granted: {0}")]
    Missing(String),
    /// 55P03: a lock was not to be had within `lock_timeout`.
    #[error("locked: {0}")]
    Locked(String),
    /// The statement ran past its time and was cancelled.
    #[error("no answer within {0:?}")]
    Timeout(Duration),
    /// There is no connection: refused, lost, or no authentication; never with a secret in it.
    #[error("{0}")]
    Connection(String),
    /// Anything else the server said, with its SQLSTATE.
    #[error("{message} ({code})")]
    Fault {
        /// SQLSTATE.
        code: String,
        /// The server's message.
        message: String,
    },
}

impl Table {
    /// No rows yet of these columns.
    pub fn new<C: Into<Arc<str>>>(columns: impl IntoIterator<Item = C>) -> Self {
        Table {
            columns: columns.into_iter().map(Into::into).collect(),
            ..Table::default()
        }
    }

    /// Adds a row. One that would make the answer longer than 2 GiB counts as unreadable.
    pub fn push(&mut self, row: &[Option<&str>]) {
        let length: usize = row.iter().flatten().map(|cell| cell.len()).sum();
        if self.text.len() + length >= NULL as usize {
            self.unreadable += 1;
            return;
        }
        for place in 0..self.columns.len() {
            let cell = row.get(place).copied().flatten();
            self.text.push_str(cell.unwrap_or_default());
            let null = if cell.is_none() { NULL } else { 0 };
            self.ends.push(self.text.len() as u32 | null);
        }
    }

    /// Column names in order.
    pub fn columns(&self) -> &[Arc<str>] {
        &self.columns
    }

    /// The place of the last column of that name: `SELECT *, … AS x` replaces a column of the view.
    pub fn place(&self, column: &str) -> Option<usize> {
        self.columns.iter().rposition(|name| **name == *column)
    }

    /// The rows in order.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = Row<'_>> {
        let width = self.columns.len();
        let count = self.ends.len().checked_div(width).unwrap_or_default();
        (0..count).map(move |row| Row {
            table: self,
            first: row * width,
        })
    }

    /// The first cell of the first row; `None` when there is none or it is NULL.
    pub fn first(&self) -> Option<&str> {
        self.rows().next()?.cell(0)
    }
}

impl<'t> Row<'t> {
    /// The text of the cell in that column; `None` when it is NULL or there is no such column.
    pub fn cell(&self, place: usize) -> Option<&'t str> {
        let here = self.first + place;
        let end = *self.table.ends.get(here)?;
        if place >= self.table.columns.len() || end & NULL != 0 {
            return None;
        }
        let begin = match here.checked_sub(1) {
            Some(before) => self.table.ends[before] & !NULL,
            None => 0,
        };
        self.table.text.get(begin as usize..end as usize)
    }
}

impl ReadError {
    /// Sorts what a server said about a statement that might take `limit`.
    pub(super) fn from_server(error: &tokio_postgres::Error, limit: Duration) -> Self {
        let Some(told) = error.as_db_error() else {
            let cause = std::error::Error::source(error)
                .map_or(String::new(), |source| format!(": {source}"));
            return ReadError::Connection(format!("{error}{cause}"));
        };
        let message = told.message().to_owned();
        match told.code().code() {
            "42P01" | "42883" | "42704" | "42703" => ReadError::Absent(message),
            "42501" => ReadError::Denied(message),
            "55P03" => ReadError::Locked(message),
            "57014" => ReadError::Timeout(limit),
            "57P01" | "57P02" | "57P03" | "57P05" => ReadError::Connection(message),
            code => ReadError::Fault {
                code: code.to_owned(),
                message,
            },
        }
    }

    /// Whether it would not have failed with more rights.
    pub fn wants_right(&self) -> bool {
        matches!(
            self,
            ReadError::Denied(_) | ReadError::Missing(_) | ReadError::NotAdmitted(_)
        )
    }

    /// Whether the session it came from must not be used again.
    pub fn ends_session(&self) -> bool {
        matches!(self, ReadError::Timeout(_) | ReadError::Connection(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_come_back_as_they_were_pushed() {
        let mut table = Table::new(["a", "b", "a"]);
        let rows = [
            [None, Some("x"), Some("")],
            [Some("é"), None, None],
            [Some("1"), Some("2"), Some("3")],
        ];
        for row in &rows {
            table.push(row);
        }
        for (row, pushed) in table.rows().zip(&rows) {
            let cells: Vec<_> = (0..3).map(|place| row.cell(place)).collect();
            assert_eq!(cells, pushed);
            assert_eq!(row.cell(3), None);
        }
        assert_eq!(table.rows().len(), 3);
        assert_eq!(table.place("a"), Some(2));
        assert_eq!((table.first(), Table::default().first()), (None, None));
    }
}
