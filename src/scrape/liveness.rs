//! The sign of life: every second, and the two samples it becomes.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::Board;
use super::doubts::Doubts;
use crate::sample::{Metric, Sample, Source, Timestamp};
use crate::server::Server;

/// The collector name of the source of `pg_up`.
pub const LIVENESS: &str = "liveness";

/// Whether a server answers.
pub(super) const PG_UP: Metric =
    Metric::gauge("pg_up", "Whether the server answers (1) or not (0).");

const UP: Metric = Metric::gauge(
    "up",
    "Whether this watch is alive, as Prometheus would see it.",
);

const EVERY: Duration = Duration::from_secs(1);

/// A server that is down is asked more often, so that its return is seen soon.
const WHILE_DOWN: Duration = Duration::from_millis(250);

/// A server that refuses us writes each try into its log.
const WHILE_REFUSED: Duration = Duration::from_secs(5);

/// What was found last may stand for as long as finding out may take.
const VALID: Duration = Duration::from_secs(5);

/// The state of a server as the other timers need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Health {
    /// Nothing was heard yet.
    Unknown,
    /// It answers.
    Up,
    /// It does not, and why.
    Down(String),
}

/// Asks for ever, publishes `pg_up` and tells the other timers.
pub(super) async fn watch_over(
    server: &Server,
    board: &Board,
    health: &watch::Sender<Health>,
    doubts: &Doubts,
) {
    let source = Source::new(&server.name, "", LIVENESS);
    board.declare(&source, VALID, 1);
    loop {
        let begun = Instant::now();
        let answer = server.alive().await;
        let pause = match &answer {
            Ok(()) => EVERY,
            Err(error) if error.trouble.needs_a_person() => WHILE_REFUSED,
            Err(_) => WHILE_DOWN,
        };
        let samples = samples(answer.is_ok());
        let (at, took) = (Timestamp::now(), begun.elapsed());
        board.publish(&source, at, took, samples, 0);
        if let Err(error) = &answer {
            board.fail(&source, at, took, error.to_string());
        }
        let found = answer.map_or_else(|error| Health::Down(error.to_string()), |()| Health::Up);
        match found {
            Health::Up => doubts.answered(begun),
            _ => doubts.unanswered(),
        }
        note_change(server, health, found);
        sleep_until(begun + pause).await;
    }
}

/// The samples of a sign of life or of its absence. `up` is what Prometheus would say about pgvigil itself.
pub(super) fn samples(up: bool) -> Vec<Sample> {
    vec![
        PG_UP.sample(&[], f64::from(u8::from(up))),
        UP.sample(&[], 1.0),
    ]
}

fn note_change(server: &Server, health: &watch::Sender<Health>, found: Health) {
    health.send_if_modified(|known| {
        let changed = std::mem::discriminant(known) != std::mem::discriminant(&found);
        match &found {
            Health::Down(error) if changed => tracing::warn!(server.name, error, "server is down"),
            Health::Up if changed => tracing::info!(server.name, "server is up"),
            _ => {}
        }
        *known = found;
        changed
    });
}
