//! A server as the rest of the house sees it, and the two lanes on which it is read.

use std::time::Duration;

use super::{Facts, ReadError, ServerError, Settings, Table};

/// On which of the at most two connections a statement runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// Connection A, kept open to the configured database: for what is quick.
    Held,
    /// Connection B, opened for this and closed after it: for what is slow, and for other databases.
    Visit,
}

/// One PostgreSQL server being watched.
#[derive(Debug)]
pub struct Server {
    /// Its configured name.
    pub name: String,
}

impl Server {
    /// The configured database.
    pub fn database(&self) -> &str {
        todo!()
    }

    /// A server that is connected to when first read. Statements end after `timeout` on the server itself, unless a
    /// reading asks for more.
    pub fn new(_settings: Settings, _timeout: Duration) -> Self {
        todo!()
    }

    /// Whether it answers, on connection A, with one new attempt on a fresh connection.
    ///
    /// # Errors
    /// Why it does not, within four seconds.
    pub async fn alive(&self) -> Result<(), ServerError> {
        todo!()
    }

    /// What it is, read on connection A.
    ///
    /// # Errors
    /// As [`Server::read`].
    pub async fn facts(&self) -> Result<Facts, ReadError> {
        todo!()
    }

    /// Runs one statement. Without a database, in the configured one; another database is always visited.
    ///
    /// # Errors
    /// The server's, or that it could not be reached or did not answer in time.
    pub async fn read(
        &self,
        _lane: Lane,
        _database: Option<&str>,
        _sql: &str,
        _timeout: Duration,
    ) -> Result<Table, ReadError> {
        todo!()
    }
}
