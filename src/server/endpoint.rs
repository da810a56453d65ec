//! Opens sessions: hosts in turn, TLS as asked for, the start-up options, one deadline for the whole.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use tokio_postgres::config::{ChannelBinding as Binding, SslMode as Wanted};
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Config, NoTls};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::dsn::{ChannelBinding, Dsn, SessionWanted, SslMode, Target};
use super::error::{ServerError, Trouble};
use super::session::{Limits, Line};
use super::tls;
use super::wire::Wire;
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
    fn limits(&self) -> Limits {
        match self.settings.kind {
            Kind::PgBouncer => Limits::Clock,
            Kind::PostgreSql if self.pooled.load(Ordering::Relaxed) => Limits::Statement,
            Kind::PostgreSql => Limits::Session,
        }
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

/// One host of one opening.
struct Attempt<'a> {
    endpoint: &'a Endpoint,
    dsn: &'a Dsn,
    target: &'a Target,
    lane: Lane,
    database: &'a str,
    deadline: Instant,
}

impl Attempt<'_> {
    async fn open(&self, wanted: SessionWanted) -> Result<(Client, Line), ServerError> {
        let deadline = self.dsn.connect_timeout.map_or(self.deadline, |each| {
            self.deadline.min(Instant::now() + each)
        });
        match timeout_at(deadline, self.open_as(wanted)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(self.failed(Trouble::Silent, "no answer in time".into())),
        }
    }

    async fn open_as(&self, wanted: SessionWanted) -> Result<(Client, Line), ServerError> {
        let (client, line) = match self.negotiate().await {
            Err(error)
                if error.trouble == Trouble::Pooler
                    && self.endpoint.limits() == Limits::Session =>
            {
                self.endpoint.pooled.store(true, Ordering::Relaxed);
                self.negotiate().await?
            }
            outcome => outcome?,
        };
        if wanted == SessionWanted::Any {
            return Ok((client, line));
        }
        let asked = line
            .read(
                &client,
                "SELECT pg_is_in_recovery()",
                self.endpoint.statement_timeout,
            )
            .await;
        let standby = asked
            .map_err(|error| self.failed(Trouble::Other, error.to_string()))?
            .first()
            == Some("t");
        if standby == (wanted == SessionWanted::Standby) {
            return Ok((client, line));
        }
        let cause = if standby {
            "it is a standby"
        } else {
            "it is no standby"
        };
        Err(self.failed(
            Trouble::Role,
            format!("{cause}, and `target_session_attrs` asks for another"),
        ))
    }

    /// The two modes that change their mind do as libpq does: `allow` tries TLS when refused without, `prefer` tries
    /// without when TLS fails or is refused.
    async fn negotiate(&self) -> Result<(Client, Line), ServerError> {
        let (first, second) = match self.dsn.tls.mode {
            _ if self.target.is_socket() => (Wanted::Disable, None),
            SslMode::Disable => (Wanted::Disable, None),
            SslMode::Allow => (Wanted::Disable, Some(Wanted::Require)),
            SslMode::Prefer => (Wanted::Prefer, Some(Wanted::Disable)),
            SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => (Wanted::Require, None),
        };
        match (self.connect(first).await, second) {
            (Err(error), Some(second)) if matches!(error.trouble, Trouble::Tls | Trouble::Role) => {
                self.connect(second)
                    .await
                    .map_err(|again| match again.trouble {
                        Trouble::Tls => error,
                        _ => again,
                    })
            }
            (outcome, _) => outcome,
        }
    }

    async fn connect(&self, wanted: Wanted) -> Result<(Client, Line), ServerError> {
        let settings = |error: super::DsnError| ServerError {
            hint: Some(error.hint),
            ..self.failed(Trouble::Settings, error.message)
        };
        let mut config = Config::new();
        config
            .user(&self.dsn.user)
            .dbname(self.database)
            .ssl_mode(wanted)
            .channel_binding(match self.dsn.tls.channel_binding {
                ChannelBinding::Disable => Binding::Disable,
                ChannelBinding::Prefer => Binding::Prefer,
                ChannelBinding::Require => Binding::Require,
            })
            .application_name("pgvigil");
        if let Some(password) = self
            .dsn
            .password_for(self.target, self.database)
            .map_err(settings)?
        {
            config.password(password);
        }
        let limits = self.limits();
        match limits {
            Limits::Session => {
                config.options(self.options());
            }
            Limits::Statement if self.lane == Lane::Plain && !self.dsn.options.is_empty() => {
                config.options(&self.dsn.options);
            }
            Limits::Statement | Limits::Clock => {}
        }
        let stream = Wire::connect(self.target).await.map_err(|error| {
            let trouble = match error.kind() {
                std::io::ErrorKind::ConnectionRefused => Trouble::Refused,
                std::io::ErrorKind::TimedOut => Trouble::Silent,
                _ => Trouble::Address,
            };
            self.failed(trouble, error.to_string())
        })?;
        let failed =
            |error: tokio_postgres::Error| ServerError::from_connecting(self.what(), &error);
        let closed = CancellationToken::new();
        let ended = closed.clone().drop_guard();
        let (client, task, certificate) = if wanted == Wanted::Disable {
            let (client, connection) = config.connect_raw(stream, NoTls).await.map_err(failed)?;
            (client, tokio::spawn(until_closed(connection, ended)), None)
        } else {
            let mut connector = tls::connector(&self.dsn.tls).map_err(settings)?;
            let connect =
                MakeTlsConnect::<Wire>::make_tls_connect(&mut connector.connect, &self.target.host);
            let connect = connect.map_err(|error| self.failed(Trouble::Tls, error.to_string()))?;
            let (client, connection) = config.connect_raw(stream, connect).await.map_err(failed)?;
            let task = tokio::spawn(until_closed(connection, ended));
            (client, task, connector.expiry())
        };
        let line = Line {
            target: self.target.clone(),
            tls: (wanted != Wanted::Disable).then(|| self.dsn.tls.clone()),
            certificate,
            closed,
            task: task.abort_handle(),
            limits,
            statement_timeout: self.endpoint.statement_timeout,
        };
        Ok((client, line))
    }

    fn limits(&self) -> Limits {
        match self.endpoint.limits() {
            Limits::Session if self.lane == Lane::Plain => Limits::Statement,
            limits => limits,
        }
    }

    fn options(&self) -> String {
        let own = format!(
            "-c default_transaction_read_only=on -c statement_timeout={} -c lock_timeout=100 -c jit=off",
            self.endpoint.statement_timeout.as_millis()
        );
        format!("{} {own}", self.dsn.options).trim().to_owned()
    }

    fn what(&self) -> String {
        format!(
            "cannot connect to `{}` as `{}`, database `{}`",
            self.target.place(),
            self.dsn.user,
            self.database
        )
    }

    fn failed(&self, trouble: Trouble, cause: String) -> ServerError {
        ServerError::new(trouble, self.what(), cause)
    }
}

async fn until_closed(
    connection: impl Future<Output = Result<(), tokio_postgres::Error>>,
    _ended: DropGuard,
) {
    if let Err(error) = connection.await {
        tracing::debug!(%error, "a connection ended");
    }
}
