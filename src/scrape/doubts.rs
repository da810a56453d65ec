//! Failures that may be the server's own. Takes them as they come; logs those after which the server has answered.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use super::job::Job;

/// What one server's collectors failed of since it last answered. Every call locks for itself.
#[derive(Debug, Default)]
pub(super) struct Doubts(Mutex<Vec<Doubt>>);

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
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
