//! Reads evidence: one declared query on one server, first in the queue for connection B, else on A.

mod numbers;

use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::collectors::evidence::{EvidenceQuery, Found, found};
use crate::collectors::{Run, Scope, Settings};
use crate::server::{Kind, ReadError, Server, Table};

pub use numbers::Readings;
pub(super) use numbers::{DURATION, FAILURES, READINGS};

/// How long connection B is waited for where A can read it as well.
const TURN: Duration = Duration::from_millis(600);

/// How long a database of its own is waited for, which only B can enter.
const VISIT: Duration = Duration::from_secs(8);

/// One query to be read on one server.
#[derive(Debug)]
pub struct Inquiry<'a> {
    /// The server.
    pub server: &'a Server,
    /// The query.
    pub query: &'a EvidenceQuery,
    /// The database to read it in, where it is of one; the configured one when `None` or not known there.
    pub database: Option<&'a str>,
    /// The settings of all that is read.
    pub settings: &'a Settings,
}

impl Inquiry<'_> {
    /// Reads it, within the time that its statement may take and that a connection may be waited for.
    ///
    /// # Errors
    /// Why there are no rows, in words.
    pub async fn read(&self) -> Result<Found, String> {
        if self.server.kind() != Kind::PostgreSql {
            return Err("is read from PostgreSQL alone".into());
        }
        let Some(facts) = self.server.known() else {
            return Err("the server has not said yet what it is".into());
        };
        let planned = self.query.plan(&facts, self.settings);
        let run = planned.map_err(|reason| reason.to_string())?;
        let elsewhere = self.database.filter(|name| {
            let known = facts.databases.iter().any(|database| database == name);
            run.collector.scope == Scope::Database && *name != facts.database && known
        });
        let answer = match elsewhere {
            Some(database) => self.visit(&run, Some(database), VISIT).await,
            None => self.here(&run).await,
        };
        let table = answer.map_err(|error| explained(&run, &error))?;
        let privilege = run.collector.privilege.as_ref();
        if let Some(rights) = privilege.and_then(|needed| needed.missing_in(&table)) {
            let missing = ReadError::Missing(rights.to_owned());
            return Err(explained(&run, &missing));
        }
        let text = self.server.settings().query_text;
        Ok(found(self.query, &table, text))
    }

    /// In the configured database. Who cannot connect anew, because every connection is taken, is still connected on A.
    async fn here(&self, run: &Run) -> Result<Table, ReadError> {
        let begun = Instant::now();
        match self.visit(run, None, TURN).await {
            Err(ReadError::Connection(_)) => {
                let patience = TURN.saturating_sub(begun.elapsed()).max(TURN / 2);
                let asked = self.server.read_soon(&run.sql, run.timeout, patience);
                asked.await
            }
            answer => answer,
        }
    }

    async fn visit(
        &self,
        run: &Run,
        database: Option<&str>,
        patience: Duration,
    ) -> Result<Table, ReadError> {
        let opened = timeout(patience, self.server.visit_first(database)).await;
        let late = || ReadError::Connection("no connection came free in time".into());
        let mut visit = opened.map_err(|_| late())??;
        visit.read(&run.sql, run.timeout).await
    }
}

/// A failure with the way out where there is one. What the server says of a value may hold the value.
fn explained(run: &Run, error: &ReadError) -> String {
    match error {
        ReadError::Fault { code, .. } if code.starts_with("22") => {
            format!("a value is not what the statement expects ({code})")
        }
        _ => super::reading::told(run, error),
    }
}
