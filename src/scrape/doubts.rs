//! Failures that are not plainly the collector's own: those that may be the server's, logged once it has answered, and
//! wants of a right, logged once for all databases.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use super::job::Job;
use crate::server::ReadError;

/// What one server's collectors failed of since it last answered. Every call locks for itself.
#[derive(Debug, Default)]
pub(super) struct Doubts {
    failures: Mutex<Vec<Doubt>>,
    refused: Mutex<HashSet<Arc<str>>>,
}

#[derive(Debug)]
struct Doubt {
    job: Arc<Job>,
    at: Instant,
    error: String,
}

impl Doubts {
    /// Keeps a failure back until it is known whether the server is up.
    pub(super) fn keep(&self, job: &Arc<Job>, error: String) {
        self.locked().push(Doubt {
            job: Arc::clone(job),
            at: Instant::now(),
            error,
        });
    }

    /// Logs which right a collector lacks, or all of them in a database, where it is first seen.
    pub(super) fn refused(&self, job: &Job, error: &ReadError, words: &str) {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if let ReadError::NotAdmitted(_) = error {
            if refused.insert(words.into()) {
                tracing::warn!(server.name = %job.source.server, "{words}");
            }
        } else if refused.insert(Arc::clone(&job.source.collector)) {
            let database = job.database.as_deref();
            tracing::info!(server.name = %job.source.server, database.name = database, collector.name = %job.source.collector, "collector is not permitted: {words}");
        }
    }

    /// Forgets a job that reads again.
    pub(super) fn forget(&self, job: &Job) {
        self.locked().retain(|doubt| doubt.job.source != job.source);
    }

    /// The server answered a question asked at `since`: what failed before that is the collectors' own.
    pub(super) fn answered(&self, since: Instant) {
        let mut doubts = self.locked();
        for doubt in doubts.extract_if(.., |doubt| doubt.at < since) {
            doubt.job.fails(&doubt.error);
        }
    }

    /// The server is down, which is said once and for all of them.
    pub(super) fn unanswered(&self) {
        self.locked().clear();
    }

    fn locked(&self) -> MutexGuard<'_, Vec<Doubt>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
