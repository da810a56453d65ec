//! Opens sessions: takes a server's settings, tries its hosts in turn within one deadline, hands on a session.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::Instant;
use tokio_postgres::Client;

use super::attempt::Attempt;
use super::dsn::{Dsn, SessionWanted};
use super::error::{ServerError, Trouble};
use super::session::{Limits, Line};
use super::{Kind, Lane, Settings};

/// How long connecting may take in all: a stopped postmaster still accepts TCP.
pub(super) const CONNECTING: Duration = Duration::from_secs(3);

/// The database under whose name PgBouncer offers its console.
const CONSOLE: &str = "pgbouncer";

/// Where and how a server is connected to.
#[derive(Debug)]
pub(super) struct Endpoint {
    settings: Settings,
    statement_timeout: Duration,
    pooled: AtomicBool,
}

impl Endpoint {
    pub(super) fn new(settings: Settings, statement_timeout: Duration) -> Self {
        Endpoint {
            settings,
            statement_timeout,
            pooled: AtomicBool::new(false),
        }
    }

    /// The longest a statement may take without asking for more.
    pub(super) fn statement_timeout(&self) -> Duration {
        self.statement_timeout
    }

    /// A pooler in between may have refused start-up options, so that each statement must bring its own.
    pub(super) fn limits(&self) -> Limits {
        match self.settings.kind {
            Kind::PgBouncer => Limits::Clock,
            Kind::PostgreSql if self.pooled.load(Ordering::Relaxed) => Limits::Statement,
            Kind::PostgreSql => Limits::Session,
        }
    }

    /// Remembers that start-up options were refused.
    pub(super) fn note_pooler(&self) {
        self.pooled.store(true, Ordering::Relaxed);
    }

    /// The connection string as it is now; its file may have changed.
    pub(super) fn dsn(&self) -> Result<Dsn, ServerError> {
        let text = self
            .settings
            .url
            .reveal()
            .map_err(|unreadable| self.misconfigured(unreadable, "check `url_file`"))?;
        let mut dsn = Dsn::parse(&text)
            .map_err(|error| self.misconfigured(format!("`url` {}", error.message), error.hint))?;
        dsn.password = self.settings.password.clone().or(dsn.password);
        if self.settings.kind == Kind::PgBouncer {
            dsn.database = CONSOLE.into();
        }
        Ok(dsn)
    }

    /// Opens a session on the configured or another database, within `limit` and [`CONNECTING`].
    ///
    /// # Errors
    /// The last host's reason.
    pub(super) async fn open(
        &self,
        lane: Lane,
        database: Option<&str>,
        limit: Duration,
    ) -> Result<(Client, Line), ServerError> {
        let dsn = self.dsn()?;
        let begun = Instant::now();
        let passes: &[SessionWanted] = match dsn.session {
            SessionWanted::PreferStandby => &[SessionWanted::Standby, SessionWanted::Any],
            SessionWanted::Any => &[SessionWanted::Any],
            SessionWanted::Primary => &[SessionWanted::Primary],
            SessionWanted::Standby => &[SessionWanted::Standby],
        };
        let mut failure = self.misconfigured("no host is given".into(), "write a host into `url`");
        let mut deadlines = deadlines(limit.min(CONNECTING), passes.len() * dsn.targets.len());
        for wanted in passes {
            for (target, deadline) in dsn.targets.iter().zip(&mut deadlines) {
                let attempt = Attempt {
                    endpoint: self,
                    dsn: &dsn,
                    target,
                    lane,
                    database: database.unwrap_or(&dsn.database),
                    deadline: begun + deadline,
                };
                match attempt.open(*wanted).await {
                    Ok(opened) => return Ok(opened),
                    Err(error) => failure = error,
                }
            }
        }
        Err(failure)
    }

    fn misconfigured(&self, cause: String, hint: impl Into<String>) -> ServerError {
        ServerError {
            trouble: Trouble::Settings,
            what: format!("server `{}` cannot be connected to", self.settings.name),
            cause,
            hint: Some(hint.into()),
        }
    }
}

/// When each of several hosts must have answered, counted from the start: those before the last share half of the time,
/// so that one that is silent does not keep the others from being asked.
fn deadlines(limit: Duration, count: usize) -> impl Iterator<Item = Duration> {
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    let share = limit / 2 / count.saturating_sub(1).max(1);
    (1..=count).map(move |nth| if nth == count { limit } else { share * nth })
}
