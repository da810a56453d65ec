//! What the readings of one server leave behind for those that follow.

use std::sync::Arc;

use super::job::Job;
use super::lookups::Lookups;
use super::rooms::Rooms;

/// Shared by both lanes; each part locks for itself.
#[derive(Debug)]
pub(super) struct Memory {
    pub(super) rooms: Rooms,
    pub(super) lookups: Lookups,
}

impl Memory {
    /// Nothing is read yet; see [`Rooms::new`].
    pub(super) fn new(max_series: usize) -> Self {
        Memory {
            rooms: Rooms::new(max_series),
            lookups: Lookups::default(),
        }
    }

    /// Makes the jobs known that are read from now on, and forgets all others.
    pub(super) fn plan(&self, jobs: &[Arc<Job>]) {
        self.rooms.divide(jobs.iter().map(|job| &job.source));
        self.lookups.plan(jobs);
    }
}
