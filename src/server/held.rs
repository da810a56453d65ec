//! Connection A: one session to the configured database, kept in a pool of one so that its readers take turns.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use deadpool_postgres::{
    BuildError, Connect, Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime,
    TimeoutType, Timeouts,
};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::{Client, Config, Error, NoTls};

use super::Lane;
use super::certificate::Expiry;
use super::dsn::Target;
use super::endpoint::{CONNECTING, Endpoint};
use super::error::{ServerError, Trouble};
use super::session::Line;
use super::table::{ReadError, Table};

/// How long a discarded session may still be closing before its successor is opened beside it.
const HANDOVER: Duration = Duration::from_millis(300);

/// Why there is no session to use.
#[derive(Debug)]
pub(super) enum Unavailable {
    /// Another reader has it.
    Busy,
    /// It could not be opened.
    Down(ServerError),
}

/// What a statement came to.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) outcome: Result<Table, ReadError>,
    /// When it was sent, by our clock.
    pub(super) sent: SystemTime,
    /// From then until the answer was there.
    pub(super) took: Duration,
    /// When the certificates of its session expire; `None` without TLS.
    pub(super) certificate: Option<Expiry>,
}

/// The held connection.
#[derive(Debug)]
pub(super) struct Held {
    pool: Result<Pool, BuildError>,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    line: Option<Line>,
    failure: Option<ServerError>,
    opened: u64,
}

impl Held {
    pub(super) fn new(endpoint: Arc<Endpoint>) -> Self {
        let state = Arc::<Mutex<State>>::default();
        let opening = Opening {
            endpoint,
            state: Arc::clone(&state),
        };
        let config = ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        };
        let manager = Manager::from_connect(Config::new(), opening, config);
        let pool = Pool::builder(manager).max_size(1).runtime(Runtime::Tokio1);
        Held {
            pool: pool.build(),
            state,
        }
    }

    /// Runs one statement when it is this reader's turn.
    pub(super) async fn read(
        &self,
        sql: &str,
        limit: Duration,
        patience: Timeouts,
    ) -> Result<Answer, Unavailable> {
        let client = self.client(patience).await?;
        let Some(line) = self.line() else {
            return Err(Unavailable::Busy);
        };
        let (sent, begun) = (SystemTime::now(), Instant::now());
        let outcome = line.read(&client, sql, limit).await;
        let (took, certificate) = (begun.elapsed(), line.certificate);
        if client.is_closed() || outcome.as_ref().is_err_and(ReadError::ends_session) {
            drop(Object::take(client));
            tokio::spawn(async move { line.ended().await });
        }
        Ok(Answer {
            outcome,
            sent,
            took,
            certificate,
        })
    }

    /// How often a session was opened: a change means that the server may be another one by now.
    pub(super) fn opened(&self) -> u64 {
        locked(&self.state).opened
    }

    /// The host that answered last.
    pub(super) fn target(&self) -> Option<Target> {
        self.line().map(|line| line.target)
    }

    async fn client(&self, patience: Timeouts) -> Result<Object, Unavailable> {
        let pool = self
            .pool
            .as_ref()
            .map_err(|error| unpooled(error.to_string()))?;
        match pool.timeout_get(&patience).await {
            Ok(client) => Ok(client),
            Err(PoolError::Timeout(TimeoutType::Wait)) => Err(Unavailable::Busy),
            Err(PoolError::Backend(error)) => Err(match locked(&self.state).failure.clone() {
                Some(failure) => Unavailable::Down(failure),
                None => unpooled(error.to_string()),
            }),
            Err(PoolError::Timeout(_)) => Err(unpooled("no answer in time".into())),
            Err(error) => Err(unpooled(error.to_string())),
        }
    }

    fn line(&self) -> Option<Line> {
        locked(&self.state).line.clone()
    }
}

/// Waits its turn for as long as it takes; connecting has its own deadline.
pub(super) fn patient() -> Timeouts {
    Timeouts::default()
}

/// Waits `turn` for another reader and `connecting` for a new session.
pub(super) fn impatient(turn: Duration, connecting: Duration) -> Timeouts {
    Timeouts {
        wait: Some(turn),
        create: Some(connecting),
        recycle: None,
    }
}

fn unpooled(cause: String) -> Unavailable {
    let what = "the connection could not be opened".into();
    Unavailable::Down(ServerError::new(Trouble::Silent, what, cause))
}

fn locked(state: &Mutex<State>) -> std::sync::MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Opens the session for the pool.
#[derive(Debug)]
struct Opening {
    endpoint: Arc<Endpoint>,
    state: Arc<Mutex<State>>,
}

type Opened<'a> =
    Pin<Box<dyn Future<Output = Result<(Client, JoinHandle<()>), Error>> + Send + 'a>>;

impl Connect for Opening {
    fn connect(&self, _: &Config) -> Opened<'_> {
        Box::pin(async move {
            let predecessor = locked(&self.state).line.take();
            if let Some(line) = predecessor {
                // Late or not, the successor is opened: a hung server never closes the old one.
                let _ = timeout(HANDOVER, line.closed.cancelled()).await;
            }
            match self.endpoint.open(Lane::Held, None, CONNECTING).await {
                Ok((client, line)) => {
                    let mut state = locked(&self.state);
                    state.line = Some(line);
                    state.opened += 1;
                    // The pool aborts the task it is given; the session's own must live on to say goodbye.
                    Ok((client, tokio::spawn(async {})))
                }
                Err(failure) => {
                    locked(&self.state).failure = Some(failure);
                    // The pool wants the driver's error, which only the driver can make: nothing answers on this stream.
                    let mut nobody = Config::new();
                    let dead = nobody.user("").connect_raw(tokio::io::empty(), NoTls);
                    dead.await
                        .map(|(client, _)| (client, tokio::spawn(async {})))
                }
            }
        })
    }
}
