//! A server as the rest of the house sees it, and the two lanes on which it is read.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::time::timeout;

use super::endpoint::Endpoint;
use super::error::{ServerError, Trouble};
use super::held::{Held, Unavailable, impatient, patient};
use super::turns::Turns;
use super::wire::Wire;
use super::{Facts, Kind, Lag, Pulse, ReadError, Settings, Table, Visit, facts, pulse};

/// How long a sign of life may take on an open session, on a new one, and at the door while the session is in use.
const ANSWER: Duration = Duration::from_millis(500);
const TURN: Duration = Duration::from_millis(500);
const FRESH: Duration = Duration::from_secs(2);
const KNOCK: Duration = Duration::from_secs(2);

/// On which of the at most two connections a statement runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// Connection A, kept open to the configured database: for what is quick.
    Held,
    /// Connection B, opened for this and closed after it: for what is slow, and for other databases.
    Visit,
    /// Connection B without options of ours, which would hide the server's own settings; each statement brings its
    /// limits, as behind a pooler.
    Plain,
}

/// One PostgreSQL server or PgBouncer being watched.
#[derive(Debug)]
pub struct Server {
    /// Its configured name.
    pub name: String,
    database: String,
    settings: Settings,
    endpoint: Arc<Endpoint>,
    held: Held,
    turns: Turns,
    known: RwLock<Option<Arc<Facts>>>,
}

impl Server {
    /// A server that is connected to when first read. Statements end after `timeout` on the server itself, unless a
    /// reading asks for more.
    pub fn new(settings: Settings, timeout: Duration) -> Self {
        let endpoint = Arc::new(Endpoint::new(settings.clone(), timeout));
        Server {
            name: settings.name.clone(),
            database: endpoint.dsn().map(|dsn| dsn.database).unwrap_or_default(),
            settings,
            held: Held::new(Arc::clone(&endpoint)),
            endpoint,
            turns: Turns::new(),
            known: RwLock::default(),
        }
    }

    /// The configured database; empty where the connection string could not be read at the start.
    pub fn database(&self) -> &str {
        &self.database
    }

    /// What it is.
    pub fn kind(&self) -> Kind {
        self.settings.kind
    }

    /// What it was set up with.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Whether it answers, on connection A, with one new attempt on a fresh connection. While A is in use, whether
    /// anybody opens the door, who says nothing more: a statement that takes long is no sign of death.
    ///
    /// # Errors
    /// Why it does not, within four seconds.
    pub async fn alive(&self) -> Result<Option<Pulse>, ServerError> {
        let question = self.settings.kind.sign_of_life();
        let ask = || self.held.read(question, ANSWER, impatient(TURN, FRESH));
        let mut answer = ask().await;
        if answer.as_ref().is_ok_and(|answer| answer.outcome.is_err()) {
            answer = ask().await;
        }
        match answer {
            Ok(answer) => match &answer.outcome {
                Ok(_) => Ok(Pulse::of(&answer)),
                Err(error) => Err(self.failed(Trouble::Lost, error.to_string())),
            },
            Err(Unavailable::Down(error)) => Err(error),
            Err(Unavailable::Busy) => self.knock().await.map(|()| None),
        }
    }

    /// How far it lags behind as a standby; `None` where that is not known: nothing streams, or it did not say in time.
    pub async fn lag(&self) -> Option<Lag> {
        let asked = self.held.read(pulse::LAG, ANSWER, impatient(TURN, FRESH));
        let table = asked.await.ok()?.outcome.ok()?;
        Lag::of(&table)
    }

    /// How often connection A was opened; when it changes, the facts may have.
    pub fn sessions_opened(&self) -> u64 {
        self.held.opened()
    }

    /// What it is, read on connection A.
    ///
    /// # Errors
    /// As [`Server::read`].
    pub async fn facts(&self) -> Result<Facts, ReadError> {
        let limit = self.endpoint.statement_timeout();
        let ask = async |sql| self.read(Lane::Held, None, sql, limit).await;
        let facts = match self.settings.kind {
            Kind::PostgreSql => {
                Facts::from_table(&ask(facts::SQL).await?, &self.settings.databases)
            }
            Kind::PgBouncer => Facts::from_console(&ask("SHOW VERSION").await?),
        }?;
        let known = Some(Arc::new(facts.clone()));
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = known;
        Ok(facts)
    }

    /// What it was when its facts were last read; `None` when they never were.
    pub fn known(&self) -> Option<Arc<Facts>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.clone()
    }

    /// Runs one statement. Without a database, in the configured one; another database is always visited.
    ///
    /// # Errors
    /// The server's, or that it could not be reached or did not answer in time.
    pub async fn read(
        &self,
        lane: Lane,
        database: Option<&str>,
        sql: &str,
        timeout: Duration,
    ) -> Result<Table, ReadError> {
        if lane != Lane::Held || database.is_some() {
            return self.visit(lane, database).await?.read(sql, timeout).await;
        }
        match self.held.read(sql, timeout, patient()).await {
            Ok(answer) => answer.outcome,
            Err(Unavailable::Down(error)) => Err(ReadError::Connection(error.to_string())),
            Err(Unavailable::Busy) => Err(ReadError::Connection("the connection is in use".into())),
        }
    }

    /// Opens connection B on a database (the configured one when `None`), after whoever has it or waits for it.
    ///
    /// # Errors
    /// It could not be opened.
    pub async fn visit(&self, lane: Lane, database: Option<&str>) -> Result<Visit, ReadError> {
        let permit = self.turns.take().await;
        let permit = permit.map_err(|closed| ReadError::Connection(closed.to_string()))?;
        Visit::open(&self.endpoint, permit, lane, database).await
    }

    /// As [`Server::visit`] on [`Lane::Visit`], before all others who wait.
    ///
    /// # Errors
    /// It could not be opened.
    pub async fn visit_first(&self, database: Option<&str>) -> Result<Visit, ReadError> {
        let permit = self.turns.take_first().await;
        let permit = permit.map_err(|closed| ReadError::Connection(closed.to_string()))?;
        Visit::open(&self.endpoint, permit, Lane::Visit, database).await
    }

    /// Whether somebody in a hurry waits for connection B: who has it should end the visit between two statements.
    pub fn is_wanted(&self) -> bool {
        self.turns.are_wanted()
    }

    /// As [`Server::read`] on connection A, for one who does not wait long for their turn.
    ///
    /// # Errors
    /// As [`Server::read`], and that the connection is in use.
    pub async fn read_soon(
        &self,
        sql: &str,
        timeout: Duration,
        patience: Duration,
    ) -> Result<Table, ReadError> {
        let asked = self.held.read(sql, timeout, impatient(patience, FRESH));
        match asked.await {
            Ok(answer) => answer.outcome,
            Err(Unavailable::Down(error)) => Err(ReadError::Connection(error.to_string())),
            Err(Unavailable::Busy) => Err(ReadError::Connection("the connection is in use".into())),
        }
    }

    async fn knock(&self) -> Result<(), ServerError> {
        let configured = || {
            self.endpoint
                .dsn()
                .ok()
                .and_then(|dsn| dsn.targets.first().cloned())
        };
        let Some(target) = self.held.target().or_else(configured) else {
            return Err(self.failed(Trouble::Settings, "no host is given".into()));
        };
        match timeout(KNOCK, Wire::knock(&target)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(self.failed(Trouble::Lost, error.to_string())),
            Err(_) => Err(self.failed(Trouble::Silent, "no answer in time".into())),
        }
    }

    fn failed(&self, trouble: Trouble, cause: String) -> ServerError {
        ServerError::new(
            trouble,
            format!("server `{}` does not answer", self.name),
            cause,
        )
    }
}
