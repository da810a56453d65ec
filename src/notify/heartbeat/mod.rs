//! The dead man's switch: pings an address while everything advances, so that somebody elsewhere misses it when not.
//! Takes how far the other rooms have come; hands on pings, and what it knows as samples.

mod progress;
mod settings;

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::Client;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

pub use progress::{Progress, Stage, Step};
pub use settings::Settings;

use self::progress::Standstill;
use super::failure::Failure;
use super::http;
use super::pace::Backoff;
use super::secrets::Secrets;
use crate::sample::{Metric, Sample, Timestamp};

/// Without a heartbeat the log is told of standstills all the same, and so often is looked for them.
const LOOK: Duration = Duration::from_secs(15);

/// At the start it is asked this often whether everything has begun.
const BEGINNING: Duration = Duration::from_secs(1);

pub(super) const ADVANCING: Metric = Metric::gauge(
    "pgvigil_stage_advancing",
    "Whether a stage of the way from the databases to people advances: collecting, evaluating, logging, delivering.",
);
pub(super) const UP: Metric = Metric::gauge(
    "pgvigil_heartbeat_up",
    "Whether the last ping was taken; that it was withheld does not count.",
);
pub(super) const PINGS: Metric =
    Metric::counter("pgvigil_heartbeat_pings_total", "Pings that were taken.");
pub(super) const FAILURES: Metric = Metric::counter(
    "pgvigil_heartbeat_failures_total",
    "Tries at a ping that failed and were repeated.",
);
pub(super) const LAST_SUCCESS: Metric = Metric::gauge(
    "pgvigil_heartbeat_last_success_timestamp_seconds",
    "When a ping was last taken.",
);

/// Judges the other rooms, and pings.
pub struct Heartbeat {
    settings: Option<Settings>,
    client: Result<Client, String>,
    progress: Box<dyn Fn() -> Progress + Send + Sync>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    standing: Vec<Standstill>,
    pings: u64,
    failures: u64,
    last_success: Option<Timestamp>,
    /// Why the last try failed; `None` when it did not.
    error: Option<String>,
}

impl Heartbeat {
    /// One that has not pinged yet. `progress` tells how far the other rooms have come.
    pub fn new(
        settings: Option<Settings>,
        progress: impl Fn() -> Progress + Send + Sync + 'static,
    ) -> Self {
        Heartbeat {
            settings,
            client: http::client(),
            progress: Box::new(progress),
            state: Mutex::default(),
        }
    }

    /// Judges and pings until `stop`. Its end is silent: nobody is told that all is well, nor that it is not.
    pub async fn run(&self, stop: CancellationToken) {
        let mut backoff = Backoff::default();
        let mut wait = BEGINNING;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep(wait) => {}
            }
            tokio::select! {
                () = stop.cancelled() => return,
                next = self.beat(&mut backoff) => wait = next,
            }
        }
    }

    /// One look and, when all is well, one ping; how long to wait before the next.
    async fn beat(&self, backoff: &mut Backoff) -> Duration {
        let progress = (self.progress)();
        let standing = progress.standstills(Timestamp::now());
        let all_well = standing.is_empty();
        self.note(standing);
        let Some(settings) = &self.settings else {
            return LOOK;
        };
        if !all_well {
            return settings.every.min(LOOK);
        }
        if !progress.has_begun() {
            return BEGINNING;
        }
        match self.ping(settings).await {
            Ok(()) => {
                backoff.reset();
                self.taken();
                settings.every
            }
            Err(failure) => {
                self.failed(failure.reason);
                backoff.next().min(settings.every)
            }
        }
    }

    async fn ping(&self, settings: &Settings) -> Result<(), Failure> {
        let client = self.client.as_ref().map_err(Failure::temporary)?;
        let url = settings.url.reveal().map_err(Failure::temporary)?;
        let url = settings::address(&url)
            .map_err(|message| Failure::permanent(format!("its URL {message}")))?;
        let secrets = Secrets::of_url(url.as_str());
        let request = client.request(settings.method.clone(), url);
        match http::send(request).await? {
            None => Ok(()),
            Some(refusal) => Err(refusal.without(&secrets).failure()),
        }
    }

    /// Logs what has come to a standstill since the last look, and what advances again.
    fn note(&self, standing: Vec<Standstill>) {
        let mut state = self.locked();
        let withheld = self.settings.is_some();
        let known = &state.standing;
        for news in standing.iter().filter(|one| !known.contains(one)) {
            warn!(
                stage = news.stage.name(),
                heartbeat.withheld = withheld,
                "{news}"
            );
        }
        for gone in known.iter().filter(|one| !standing.contains(one)) {
            info!(
                stage = gone.stage.name(),
                "{} advances again: {}",
                gone.stage.name(),
                gone.part
            );
        }
        state.standing = standing;
    }

    fn taken(&self) {
        let mut state = self.locked();
        state.pings += 1;
        state.last_success = Some(Timestamp::now());
        if state.error.take().is_some() {
            info!("the heartbeat is taken again");
        }
    }

    fn failed(&self, reason: String) {
        let mut state = self.locked();
        state.failures += 1;
        if state.error.is_none() {
            warn!(error = reason, "heartbeat not taken, trying again");
        }
        state.error = Some(reason);
    }

    /// As samples of pgvigil's own: of each stage whether it advances, and of the pings where there are any.
    pub fn samples(&self) -> Vec<Sample> {
        let standing = (self.progress)().standstills(Timestamp::now());
        let flag = |yes: bool| f64::from(u8::from(yes));
        let stages = Stage::ALL.map(|stage| {
            let advances = standing.iter().all(|still| still.stage != stage);
            ADVANCING.sample(&[("stage", stage.name())], flag(advances))
        });
        let mut samples = Vec::from(stages);
        if self.settings.is_some() {
            let state = self.locked();
            samples.push(UP.sample(&[], flag(state.error.is_none())));
            samples.push(PINGS.sample(&[], state.pings as f64));
            samples.push(FAILURES.sample(&[], state.failures as f64));
            let last = state.last_success;
            samples.extend(last.map(|at| LAST_SUCCESS.sample(&[], at.seconds())));
        }
        samples
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Heartbeat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Heartbeat")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
