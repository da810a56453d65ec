//! Statements on one session: the simple query protocol, a time limit with cancelling, text cells out.

use std::pin::pin;
use std::time::Duration;

use futures_util::TryStreamExt;
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{CancelToken, Client, NoTls, SimpleQueryMessage};
use tokio_util::sync::CancellationToken;

use super::certificate::Expiry;
use super::dsn::{Target, Tls};
use super::table::{ReadError, Table};
use super::tls;
use super::wire::Wire;

/// How much later than the server's own time limit ours comes, so that the server's is the one that is met.
const GRACE: Duration = Duration::from_millis(500);

/// How long the server may take to close a session before it counts as unreachable.
const CLOSING: Duration = Duration::from_secs(30);

/// How long sending a cancel request may take.
const CANCELLING: Duration = Duration::from_secs(3);

/// Where the limits on what a statement may do and take are set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Limits {
    /// By the options with which the session was opened.
    Session,
    /// By each statement, for a pooler in between refused options, or they would hide what is to be seen.
    Statement,
    /// By our clock alone: a PgBouncer's console knows none.
    Clock,
}

/// How the server is to write text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Utf8,
    Raw,
}

/// What is known about a session beside its client.
#[derive(Debug, Clone)]
pub(super) struct Line {
    /// The host that answered.
    pub(super) target: Target,
    /// TLS as it was agreed on; `None` without.
    pub(super) tls: Option<Tls>,
    /// When the certificates that the server showed expire.
    pub(super) certificate: Option<Expiry>,
    /// Cancelled when the server has closed the session.
    pub(super) closed: CancellationToken,
    /// The task that drives the session.
    pub(super) task: AbortHandle,
    /// How the session comes by its limits.
    pub(super) limits: Limits,
    /// The session's own limit.
    pub(super) statement_timeout: Duration,
}

impl Line {
    /// Runs one statement. After [`ReadError::Timeout`] and [`ReadError::Connection`] the session must not be used again.
    pub(super) async fn read(
        &self,
        client: &Client,
        sql: &str,
        limit: Duration,
    ) -> Result<Table, ReadError> {
        match self.run(client, sql, limit, Encoding::Utf8).await {
            // The server refuses a whole answer for one byte that it cannot turn into UTF-8: take the bytes as they are.
            Err(ReadError::Fault { code, .. }) if ["22021", "22P05"].contains(&code.as_str()) => {
                self.run(client, sql, limit, Encoding::Raw).await
            }
            outcome => outcome,
        }
    }

    async fn run(
        &self,
        client: &Client,
        sql: &str,
        limit: Duration,
        encoding: Encoding,
    ) -> Result<Table, ReadError> {
        let wrapped = match self.limits {
            Limits::Session => limit > self.statement_timeout || encoding == Encoding::Raw,
            Limits::Statement => true,
            Limits::Clock => false,
        };
        let asked = if wrapped {
            wrap(sql, limit, encoding)
        } else {
            sql.to_owned()
        };
        match timeout(limit + GRACE, ask(client, &asked)).await {
            Ok(Ok(table)) => Ok(table),
            Ok(Err(error)) if wrapped && !client.is_closed() => {
                match timeout(GRACE, client.simple_query("ROLLBACK")).await {
                    Ok(Ok(_)) => Err(ReadError::from_server(&error, limit)),
                    _ => Err(ReadError::Connection(
                        "the session could not be cleaned up".into(),
                    )),
                }
            }
            Ok(Err(error)) => Err(ReadError::from_server(&error, limit)),
            Err(_) => {
                self.cancel(client);
                Err(ReadError::Timeout(limit))
            }
        }
    }

    /// Waits until the server has closed the session whose client was dropped; after [`CLOSING`] it is given up.
    pub(super) async fn ended(&self) {
        if timeout(CLOSING, self.closed.cancelled()).await.is_err() {
            self.task.abort();
        }
    }

    /// In the background, for a server that hangs does not take this either.
    fn cancel(&self, client: &Client) {
        let (line, token) = (self.clone(), client.cancel_token());
        tokio::spawn(async move {
            let sent = timeout(CANCELLING, line.send_cancel(token)).await;
            if let Err(error) = sent.unwrap_or_else(|late| Err(late.to_string())) {
                tracing::debug!(error, "a statement past its time could not be cancelled");
            }
        });
    }

    async fn send_cancel(&self, token: CancelToken) -> Result<(), String> {
        let stream = Wire::connect(&self.target)
            .await
            .map_err(|error| error.to_string())?;
        let sent = match &self.tls {
            None => token.cancel_query_raw(stream, NoTls).await,
            Some(tls) => {
                let mut connector = tls::connector(tls).map_err(|error| error.message)?;
                let connect = MakeTlsConnect::<Wire>::make_tls_connect(
                    &mut connector.connect,
                    &self.target.host,
                );
                token
                    .cancel_query_raw(stream, connect.map_err(|error| error.to_string())?)
                    .await
            }
        };
        sent.map_err(|error| error.to_string())
    }
}

/// Makes a statement bring its own limits: a session-level `SET` would stay with the pooler's next client.
fn wrap(sql: &str, limit: Duration, encoding: Encoding) -> String {
    let encoding = match encoding {
        Encoding::Utf8 => "",
        Encoding::Raw => " SET LOCAL client_encoding = 'SQL_ASCII';",
    };
    format!(
        "BEGIN READ ONLY; SET LOCAL statement_timeout = {}; SET LOCAL lock_timeout = 100; SET LOCAL jit = off;{encoding} {}\n; COMMIT",
        limit.as_millis(),
        sql.trim().trim_end_matches(';')
    )
}

/// The rows of the one statement that gives any columns, taken up as they arrive.
async fn ask(client: &Client, sql: &str) -> Result<Table, tokio_postgres::Error> {
    let mut messages = pin!(client.simple_query_raw(sql).await?);
    let mut table = Table::default();
    while let Some(message) = messages.try_next().await? {
        match message {
            SimpleQueryMessage::RowDescription(columns) => {
                table = Table::new(columns.iter().map(|column| column.name()));
            }
            SimpleQueryMessage::Row(row) => {
                let cells = (0..row.len()).map(|place| row.try_get(place));
                match cells.collect::<Result<Vec<_>, _>>() {
                    Ok(cells) => table.push(&cells),
                    Err(_) => table.unreadable += 1,
                }
            }
            _ => {}
        }
    }
    Ok(table)
}
