//! Connection B: a session opened for a while, one at a time; the permit comes back when the server has closed it.

use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio_postgres::Client;

use super::Lane;
use super::endpoint::{CONNECTING, Endpoint};
use super::error::Trouble;
use super::identifier::quoted;
use super::session::Line;
use super::table::{ReadError, Table};

/// A session on one database. Dropping it ends it.
#[derive(Debug)]
pub struct Visit {
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    client: Client,
    line: Line,
    permit: OwnedSemaphorePermit,
}

impl Visit {
    pub(super) async fn open(
        endpoint: &Endpoint,
        permit: OwnedSemaphorePermit,
        lane: Lane,
        database: Option<&str>,
    ) -> Result<Self, ReadError> {
        let opened = endpoint.open(lane, database, CONNECTING).await;
        let (client, line) = opened.map_err(|error| match (error.trouble, database) {
            (Trouble::Entry, Some(database)) => not_admitted(endpoint, database),
            _ => ReadError::Connection(error.to_string()),
        })?;
        Ok(Visit {
            open: Some(Open {
                client,
                line,
                permit,
            }),
        })
    }

    /// Runs one statement.
    ///
    /// # Errors
    /// The server's; after a timeout or a lost connection the visit is over and every further statement fails.
    pub async fn read(&mut self, sql: &str, limit: Duration) -> Result<Table, ReadError> {
        let Some(open) = &self.open else {
            return Err(ReadError::Connection("the connection has ended".into()));
        };
        let outcome = open.line.read(&open.client, sql, limit).await;
        if outcome.as_ref().is_err_and(ReadError::ends_session) {
            self.end();
        }
        outcome
    }

    /// Whether no statement can be run any more.
    pub fn is_over(&self) -> bool {
        self.open.is_none()
    }

    fn end(&mut self) {
        if let Some(Open {
            client,
            line,
            permit,
        }) = self.open.take()
        {
            drop(client);
            tokio::spawn(async move {
                line.ended().await;
                drop(permit);
            });
        }
    }
}

fn not_admitted(endpoint: &Endpoint, database: &str) -> ReadError {
    let user = endpoint.dsn().map(|dsn| dsn.user).unwrap_or_default();
    ReadError::NotAdmitted(format!(
        "database `{database}` may not be entered; mend with `GRANT CONNECT ON DATABASE {} TO {}`, or leave it out with `databases.exclude`",
        quoted(database),
        quoted(&user)
    ))
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.end();
    }
}
