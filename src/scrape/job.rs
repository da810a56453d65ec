//! One collector on one database of one server, as it is to be read.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use crate::collectors::{Plan, Run};
use crate::sample::Source;
use crate::server::Lane;

/// What is read, and how.
#[derive(Debug)]
pub(super) struct Job {
    /// What its samples are known by.
    pub(super) source: Source,
    /// The database to visit; the configured one when `None`.
    pub(super) database: Option<String>,
    /// The statement with its limits.
    pub(super) run: Run,
    failing: AtomicBool,
    factor: AtomicU32,
}

impl Job {
    /// Everything a plan asks for, in its order.
    pub(super) fn all(server: &str, plan: &Plan) -> Vec<Arc<Job>> {
        let of_run = |run: &Run| -> Vec<Arc<Job>> {
            if run.databases.is_empty() {
                return vec![Job::new(server, None, run)];
            }
            // The other databases are nothing to a job: it stays the same when one comes or goes.
            let alone = Run {
                databases: Vec::new(),
                ..run.clone()
            };
            let databases = run.databases.iter();
            databases
                .map(|database| Job::new(server, Some(database), &alone))
                .collect()
        };
        plan.runs.iter().flat_map(of_run).collect()
    }

    fn new(server: &str, database: Option<&String>, run: &Run) -> Arc<Job> {
        Arc::new(Job {
            source: Source::new(
                server,
                database.map_or("", String::as_str),
                &run.collector.name,
            ),
            database: database.cloned(),
            run: run.clone(),
            failing: AtomicBool::new(false),
            factor: AtomicU32::new(1),
        })
    }

    /// Where it is read: jobs of the same place can share a visit.
    pub(super) fn place(&self) -> (Option<&str>, Lane) {
        (self.database.as_deref(), self.run.lane)
    }

    /// Whether it is read on the held connection.
    pub(super) fn is_quick(&self) -> bool {
        self.run.lane == Lane::Held && self.database.is_none()
    }

    /// How often it is read.
    pub(super) fn interval(&self) -> Duration {
        self.run.interval * self.factor.load(Ordering::Relaxed)
    }

    /// Multiplies the declared interval; says whether that is a change.
    pub(super) fn widen(&self, factor: u32) -> bool {
        self.factor.swap(factor, Ordering::Relaxed) != factor
    }

    /// Notes that it fails; logs that when it is news.
    pub(super) fn fails(&self, error: &str) {
        if !self.failing.swap(true, Ordering::Relaxed) {
            let database = self.database.as_deref();
            tracing::warn!(server.name = %self.source.server, database.name = database, collector.name = %self.source.collector, error, "collector fails");
        }
    }

    /// Notes that it could be read; logs that when it is news.
    pub(super) fn succeeds(&self) {
        if self.failing.swap(false, Ordering::Relaxed) {
            let database = self.database.as_deref();
            tracing::info!(server.name = %self.source.server, database.name = database, collector.name = %self.source.collector, "collector reads again");
        }
    }

    /// Whether both ask for the same thing.
    pub(super) fn is_same(&self, other: &Job) -> bool {
        self.source == other.source && self.run == other.run
    }
}
