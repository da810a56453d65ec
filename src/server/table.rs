//! What a statement answered, as plain text cells, and the ways in which it can fail.

use std::sync::Arc;
use std::time::Duration;

/// The rows of one answer. Cells are text as PostgreSQL writes it; `None` is NULL.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    /// Column names in order.
    pub columns: Vec<Arc<str>>,
    /// The rows, each as long as `columns`.
    pub rows: Vec<Vec<Option<String>>>,
    /// Rows left out because a cell was not UTF-8.
    pub unreadable: u64,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ReadError {
    /// 42P01, 42883, 42704, 42703: what it reads does not exist on this server.
    #[error("not on this server: {0}")]
    Absent(String),
    /// 42501: the role may not read it.
    #[error("permission denied: {0}")]
    Denied(String),
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
    /// The first cell of the first row; `None` when there is none or it is NULL.
    pub fn first(&self) -> Option<&str> {
        self.rows.first()?.first()?.as_deref()
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

    /// Whether the session it came from must not be used again.
    pub fn ends_session(&self) -> bool {
        matches!(self, ReadError::Timeout(_) | ReadError::Connection(_))
    }
}
