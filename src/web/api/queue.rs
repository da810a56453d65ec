//! Queries wait here for their turn, and are evaluated on threads of their own, within what the settings allow.
//! Takes a job; hands on its answer, and counts how it went.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use super::Settings;
use super::answer::Answer;
use super::failure::{Failure, Kind};
use super::query::Job;
use crate::sample::{Metric, Sample};
use crate::store::Store;

/// The queries of others: what they may take, and how they go.
#[derive(Debug)]
pub struct Queries {
    pub(super) settings: Settings,
    turns: Arc<Semaphore>,
    tally: Mutex<Tally>,
}

#[derive(Debug, Default)]
struct Tally {
    in_flight: u64,
    ended: u64,
    took: Duration,
    failures: BTreeMap<&'static str, u64>,
}

const IN_FLIGHT: Metric = Metric::gauge(
    "pgvigil_queries_in_flight",
    "Queries of the API that run or wait for their turn.",
);
const ENDED: Metric = Metric::counter(
    "pgvigil_queries_total",
    "Queries of the API that have ended, failed ones among them.",
);
const TOOK: Metric = Metric::counter(
    "pgvigil_query_seconds_total",
    "Time from the arrival of each query to its end, its wait for its turn included.",
);
const FAILURES: Metric = Metric::counter(
    "pgvigil_query_failures_total",
    "Queries of the API that failed while they waited or ran, by Prometheus' type of error.",
);

/// Every metric declared here.
pub const METRICS: &[Metric] = &[IN_FLIGHT, ENDED, TOOK, FAILURES];

/// The ways in which a query that has been understood can fail.
const FAILING: [Kind; 4] = [
    Kind::Canceled,
    Kind::Execution,
    Kind::Internal,
    Kind::Timeout,
];

impl Queries {
    /// None so far.
    pub fn new(settings: Settings) -> Queries {
        let turns = usize::try_from(settings.max_concurrency).unwrap_or(Semaphore::MAX_PERMITS);
        Queries {
            turns: Arc::new(Semaphore::new(turns.min(Semaphore::MAX_PERMITS))),
            settings,
            tally: Mutex::default(),
        }
    }

    /// How they go, as metrics.
    pub fn samples(&self) -> Vec<Sample> {
        let tally = self.tally();
        let failures = FAILING.map(|kind| {
            let count = tally.failures.get(kind.name()).copied().unwrap_or_default();
            FAILURES.sample(&[("type", kind.name())], count as f64)
        });
        let mut samples = vec![
            IN_FLIGHT.sample(&[], tally.in_flight as f64),
            ENDED.sample(&[], tally.ended as f64),
            TOOK.sample(&[], tally.took.as_secs_f64()),
        ];
        samples.extend(failures);
        samples
    }

    /// Evaluates a job in its turn. `finish` makes what is to be sent of the outcome, on the same thread.
    /// Where nobody waits any longer, the evaluation stops.
    pub(super) async fn run<T: Send + 'static>(
        self: Arc<Self>,
        store: Arc<Store>,
        job: Job,
        finish: impl FnOnce(Result<Answer, Failure>) -> T + Send + 'static,
    ) -> Option<T> {
        let mut flight = Flight::begin(self.clone());
        let timeout = self.settings.timeout.min(job.timeout);
        let deadline = flight.begun + timeout;
        let turn = self.turns.clone().acquire_owned();
        let Ok(Ok(turn)) = tokio::time::timeout(timeout, turn).await else {
            let failure = Failure::new(Kind::Timeout, "query timed out in query queue");
            flight.end(Some(failure.kind));
            return Some(finish(Err(failure)));
        };
        let gone = Arc::new(AtomicBool::new(false));
        let _leaving = Leaving(gone.clone());
        let evaluation = move || {
            let _turn = turn;
            let waited = flight.begun.elapsed();
            let stopped = || gone.load(Ordering::Relaxed) || Instant::now() >= deadline;
            let mut result = job.evaluate(&store, &flight.queries.settings, &stopped, waited);
            if gone.load(Ordering::Relaxed) {
                let message = "query was canceled in query execution";
                result = Err(Failure::new(Kind::Canceled, message));
            }
            flight.end(result.as_ref().err().map(|failure| failure.kind));
            finish(result)
        };
        tokio::task::spawn_blocking(evaluation).await.ok()
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A query from its arrival to its end; one that is dropped before it ended was given up by whoever asked.
struct Flight {
    queries: Arc<Queries>,
    begun: Instant,
    ended: bool,
}

impl Flight {
    fn begin(queries: Arc<Queries>) -> Flight {
        queries.tally().in_flight += 1;
        Flight {
            queries,
            begun: Instant::now(),
            ended: false,
        }
    }

    fn end(&mut self, failure: Option<Kind>) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        let mut tally = self.queries.tally();
        tally.in_flight -= 1;
        tally.ended += 1;
        tally.took += self.begun.elapsed();
        if let Some(kind) = failure {
            *tally.failures.entry(kind.name()).or_default() += 1;
        }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        let panicked = std::thread::panicking();
        self.end(Some(if panicked {
            Kind::Internal
        } else {
            Kind::Canceled
        }));
    }
}

/// Tells the evaluation when the request is dropped.
struct Leaving(Arc<AtomicBool>);

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
