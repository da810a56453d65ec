//! One host of one opening: TLS as asked for, the options of the session, one deadline for the whole.

use tokio::time::{Instant, timeout_at};
use tokio_postgres::config::{ChannelBinding as Binding, SslMode as Wanted};
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Config, NoTls};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::Lane;
use super::dsn::{ChannelBinding, Dsn, SessionWanted, SslMode, Target};
use super::endpoint::Endpoint;
use super::error::{ServerError, Trouble};
use super::session::{Limits, Line};
use super::tls;
use super::wire::Wire;

/// One host of one opening.
pub(super) struct Attempt<'a> {
    pub(super) endpoint: &'a Endpoint,
    pub(super) dsn: &'a Dsn,
    pub(super) target: &'a Target,
    pub(super) lane: Lane,
    pub(super) database: &'a str,
    pub(super) deadline: Instant,
}

impl Attempt<'_> {
    /// Opens a session on a host of the wanted kind.
    pub(super) async fn open(&self, wanted: SessionWanted) -> Result<(Client, Line), ServerError> {
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
                self.endpoint.note_pooler();
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
                self.endpoint.statement_timeout(),
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
            statement_timeout: self.endpoint.statement_timeout(),
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
            self.endpoint.statement_timeout().as_millis()
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
