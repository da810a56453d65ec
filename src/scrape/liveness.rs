//! The sign of life: every second, and what follows from it for the page, for load balancers and for the other timers.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::Board;
use super::doubts::Doubts;
use super::sign::{Role, Sign, Signs};
use super::told::Told;
use crate::sample::{Metric, Sample, Source, Timestamp};
use crate::server::{Kind, Pulse, Server, ServerError};

/// The collector name of the source of `pg_up` and the role.
pub const LIVENESS: &str = "liveness";

/// The collector name of the source of what the connection itself shows: clock and certificate.
pub const SESSION: &str = "session";

/// Whether a server answers.
pub(super) const PG_UP: Metric =
    Metric::gauge("pg_up", "Whether the server answers (1) or not (0).");

/// What Prometheus would say about pgvigil itself.
pub(super) const UP: Metric = Metric::gauge(
    "up",
    "Whether this watch is alive, as Prometheus would see it.",
);

pub(super) const ROLE: Metric = Metric::gauge(
    "pg_server_role",
    "Whether the server is in this role (1) or in another (0): primary, standby, starting or stopping; absent while it does not say.",
);

pub(super) const DURATION: Metric = Metric::gauge(
    "pg_liveness_duration_seconds",
    "How long the server took to answer the last sign of life, without waiting for a connection.",
);

pub(super) const CLOCK_SKEW: Metric = Metric::gauge(
    "pg_clock_skew_seconds",
    "By how much the server's clock is ahead of pgvigil's; wrong by at most half of pg_liveness_duration_seconds.",
);

pub(super) const CERTIFICATE: Metric = Metric::gauge(
    "pg_tls_certificate_expiry_timestamp_seconds",
    "When the certificate expires that the server showed to the held connection; absent without TLS.",
);

pub(super) const CHAIN: Metric = Metric::gauge(
    "pg_tls_certificate_chain_expiry_timestamp_seconds",
    "When the first of the certificates that the server showed expires, where that is not its own.",
);

const EVERY: Duration = Duration::from_secs(1);

/// A server that has just gone down is asked more often, so that its return is seen soon; but hundreds that are down for
/// long must not cost their hosts and ours that many connections.
const WHILE_DOWN: Duration = Duration::from_millis(250);
const SOON: Duration = Duration::from_secs(30);

/// A server that refuses us writes each try into its log.
const WHILE_REFUSED: Duration = Duration::from_secs(5);

/// What was found last may stand for as long as finding out may take.
pub(super) const VALID: Duration = Duration::from_secs(5);

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

/// Who asks one server, and who is told.
pub(super) struct Liveness<'w> {
    pub(super) server: &'w Server,
    pub(super) board: &'w Board,
    pub(super) signs: &'w Signs,
    pub(super) health: &'w watch::Sender<Health>,
    pub(super) doubts: &'w Doubts,
    /// How often clock and certificate are published.
    pub(super) interval: Duration,
}

impl Liveness<'_> {
    /// Asks for ever.
    pub(super) async fn watch_over(self) {
        match self.server.kind() {
            Kind::PostgreSql => self.watch_over_server().await,
            Kind::PgBouncer => self.watch_over_console().await,
        }
    }

    async fn watch_over_server(self) {
        let of_server = |collector| Source::new(&self.server.name, "", collector);
        let (liveness, session) = (of_server(LIVENESS), of_server(SESSION));
        self.board.declare(&liveness, VALID, 1);
        self.board.declare(&session, VALID.max(self.interval), 1);
        let (mut told, mut shown) = (Told::nothing(VALID), None);
        let mut answered = Instant::now();
        loop {
            let begun = Instant::now();
            let answer = self.server.alive().await;
            let role = told.role(&answer, self.server.sessions_opened(), Instant::now());
            let lag = match (&answer, role) {
                (Ok(Some(_)), Some(Role::Standby)) => self.server.lag().await,
                _ => None,
            };
            let sign = Sign {
                at: begun.into_std(),
                up: answer.is_ok(),
                role,
                lag: told.lag(lag, Instant::now()),
            };
            self.signs.note(&self.server.name, sign);
            let (at, took) = (Timestamp::now(), begun.elapsed());
            let mut samples = samples(answer.is_ok(), role);
            samples.push(UP.sample(&[], 1.0));
            self.board.publish(&liveness, at, took, samples, 0);
            match &answer {
                Ok(Some(pulse)) if is_due(shown, self.interval, begun) => {
                    shown = Some(begun);
                    let samples = session_samples(pulse);
                    self.board
                        .publish(&session, at, pulse.round_trip, samples, 0);
                }
                Ok(_) => {}
                Err(error) => {
                    shown = None;
                    self.board.fail(&liveness, at, took, error.to_string());
                    self.board.fail(&session, at, took, error.to_string());
                }
            }
            self.tell(begun, &answer);
            if answer.is_ok() {
                answered = begun;
            }
            sleep_until(begun + pause(&answer, answered.elapsed())).await;
        }
    }

    pub(super) fn tell(&self, begun: Instant, answer: &Result<Option<Pulse>, ServerError>) {
        match answer {
            Ok(_) => self.doubts.answered(begun),
            Err(_) => self.doubts.unanswered(),
        }
        let down = |error: &ServerError| Health::Down(error.to_string());
        let found = answer.as_ref().map_or_else(down, |_| Health::Up);
        note_change(self.server, self.health, found);
    }
}

/// The samples of a sign of life or of its absence.
pub(super) fn samples(up: bool, role: Option<Role>) -> Vec<Sample> {
    let mut samples = vec![PG_UP.sample(&[], f64::from(u8::from(up)))];
    if let Some(role) = role {
        samples.extend(Role::ALL.map(|each| {
            let is_it = f64::from(u8::from(each == role));
            ROLE.sample(&[("role", each.name())], is_it)
        }));
    }
    samples
}

/// What a session shows of the server's clock and certificate.
pub(super) fn session_samples(pulse: &Pulse) -> Vec<Sample> {
    let mut samples = vec![
        DURATION.sample(&[], pulse.round_trip.as_secs_f64()),
        CLOCK_SKEW.sample(&[], pulse.clock_skew),
    ];
    if let Some(expiry) = pulse.certificate {
        samples.push(CERTIFICATE.sample(&[], expiry.own as f64));
        let chain = expiry.chain.map(|first| CHAIN.sample(&[], first as f64));
        samples.extend(chain);
    }
    samples
}

fn is_due(last: Option<Instant>, interval: Duration, now: Instant) -> bool {
    last.is_none_or(|last| now >= last + interval)
}

fn pause(answer: &Result<Option<Pulse>, ServerError>, silent: Duration) -> Duration {
    match answer {
        Ok(_) => EVERY,
        Err(error) if !error.trouble.needs_a_person() && silent > SOON => EVERY,
        Err(error) if error.trouble.needs_a_person() => WHILE_REFUSED,
        Err(_) => WHILE_DOWN,
    }
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
