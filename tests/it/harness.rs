//! Real peers for the tests: PostgreSQL clusters, any other daemon, an HTTP and an SMTP server that misbehave on demand.
//! Everything listens on 127.0.0.1 on a free port and is gone when its value is dropped: never keep one in a `static`.

mod browser;
mod certificates;
mod daemon;
mod http;
mod lab;
mod patroni;
mod pgbouncer;
mod postgres;
mod prometheus;
pub mod remote_write;
mod scratch;
mod smtp;
mod stores;
mod tests;

use std::future::Future;
use std::net::TcpListener;
use std::process::Command;
use std::time::{Duration, Instant};

pub use browser::browse;
pub use certificates::Authority;
pub use daemon::Daemon;
pub use http::{Answer, ECHO, HttpSink, Request};
pub use lab::{fixtures, folder, lint, majors, tool};
pub use patroni::Patroni;
pub use pgbouncer::PgBouncer;
pub use postgres::Postgres;
pub use prometheus::{Prometheus, prometheus3};
pub use remote_write::Written;
pub use scratch::{Scratch, give_to_server, is_root, server_user};
pub use smtp::{Letter, Misbehaviour, SmtpOptions, SmtpSink, Stage, Transport};
pub use stores::{Azurite, BUCKET, FakeGcs, Moto};

const PAUSE: Duration = Duration::from_millis(20);

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a free port")
        .port()
}

/// Polls until `probe` answers; panics naming `what` when it has not by the deadline.
pub fn eventually<T>(what: &str, deadline: Duration, mut probe: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = probe() {
            return answer;
        }
        assert!(
            start.elapsed() < deadline,
            "not within {deadline:?}: {what}"
        );
        std::thread::sleep(PAUSE);
    }
}

/// As [`eventually`], without blocking the runtime.
pub async fn eventually_async<T, F: Future<Output = Option<T>>>(
    what: &str,
    deadline: Duration,
    mut probe: impl FnMut() -> F,
) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = probe().await {
            return answer;
        }
        assert!(
            start.elapsed() < deadline,
            "not within {deadline:?}: {what}"
        );
        tokio::time::sleep(PAUSE).await;
    }
}

/// The built binary, with nothing in its environment but `PATH`.
pub fn pgvigil() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pgvigil"));
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command
}
