//! What waits for one endpoint, and what became of what no longer does. Outlives a reload of the configuration.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use super::batch::Batch;
use super::numbers::{Backlog, Loss, Numbers};
use super::queue::{Parcel, Queue};
use super::relabel::Relabel;
use crate::sample::{Labels, Sample, Timestamp};
use crate::store::Followed;

/// The samples of one endpoint, from when the store has taken them until it has.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    /// Whole requests.
    pub(super) queue: Queue,
    /// The request that is being gathered.
    batch: Mutex<Batch>,
    numbers: Mutex<Numbers>,
    trouble: Mutex<Option<Trouble>>,
}

/// What the log has been told; the worse is kept until all is well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Trouble {
    Delayed,
    Refused,
}

impl Outbox {
    /// How many more samples the request that is being gathered may have.
    pub(super) fn room(&self, per_send: usize) -> usize {
        per_send.saturating_sub(locked(&self.batch).len())
    }

    /// Since when a request is being gathered.
    pub(super) fn begun(&self) -> Option<Instant> {
        locked(&self.batch).begun()
    }

    /// Adds samples to the request that is being gathered.
    pub(super) fn add(&self, samples: &[Followed], external: &Labels, choices: &[Relabel]) {
        let newest = samples.iter().map(|followed| followed.at).max();
        let mut numbers = locked(&self.numbers);
        numbers.newest = numbers.newest.max(newest);
        drop(numbers);
        let mut batch = locked(&self.batch);
        for followed in samples {
            batch.add(followed, external, choices);
        }
        if batch.len() == 0 {
            // What is known of series that are not sent would only grow.
            *batch = Batch::default();
        }
    }

    /// Lets what was gathered be sent.
    pub(super) fn close(&self, max_bytes: u64) {
        let closed = locked(&self.batch).close();
        if let Some(parcel) = closed {
            self.enqueue(parcel, max_bytes);
        }
    }

    /// Lets a request be sent; the oldest may have to give way.
    pub(super) fn enqueue(&self, parcel: Parcel, max_bytes: u64) {
        let lost = self.queue.push(parcel, max_bytes);
        self.lose(Loss::QueueFull, lost);
    }

    /// Counts samples that were given up.
    pub(super) fn lose(&self, why: Loss, samples: u64) {
        locked(&self.numbers).lose(why, samples);
    }

    /// The parcel that was being sent is no longer worth it.
    pub(super) fn given_up(&self, parcel: &Parcel, why: Loss) {
        self.queue.done();
        self.lose(why, parcel.samples);
    }

    /// The endpoint has taken the parcel that was being sent.
    pub(super) fn taken(&self, name: &str, parcel: &Parcel, now: Timestamp) {
        self.queue.done();
        let mut numbers = locked(&self.numbers);
        numbers.sent += parcel.samples;
        numbers.sent_bytes += parcel.body.len() as u64;
        numbers.last_success = Some(now);
        let newest = parcel.span.map(|(_, newest)| newest);
        numbers.newest_sent = numbers.newest_sent.max(newest);
        drop(numbers);
        if self.note(None).is_some() {
            tracing::info!(remote.name = name, "samples are taken again");
        }
    }

    /// The endpoint wants none of the parcel that was being sent.
    pub(super) fn refused(&self, name: &str, parcel: &Parcel, error: &str) {
        self.given_up(parcel, Loss::Refused);
        if self.note(Some(Trouble::Refused)) != Some(Trouble::Refused) {
            tracing::error!(
                remote.name = name,
                error,
                samples = parcel.samples,
                "samples refused, they are lost"
            );
        }
    }

    /// The parcel that was being sent has to be sent again.
    pub(super) fn delayed(&self, name: &str, parcel: &Parcel, error: &str) {
        self.queue.put_back();
        locked(&self.numbers).retried += parcel.samples;
        if self.note(Some(Trouble::Delayed)).is_none() {
            tracing::warn!(remote.name = name, error, "samples not taken, trying again");
        }
    }

    /// What waits, with what is being gathered and what is being sent.
    pub(super) fn backlog(&self) -> Backlog {
        let (gathered, begun_at) = {
            let batch = locked(&self.batch);
            (batch.len() as u64, batch.oldest())
        };
        let waiting = self.queue.waiting();
        Backlog {
            samples: waiting.samples + gathered,
            bytes: waiting.bytes,
            oldest: self.queue.oldest().or(begun_at),
        }
    }

    /// How the endpoint of this name is doing.
    pub(super) fn samples(&self, name: &str) -> Vec<Sample> {
        let backlog = self.backlog();
        locked(&self.numbers).samples(name, backlog)
    }

    fn note(&self, trouble: Option<Trouble>) -> Option<Trouble> {
        let mut told = locked(&self.trouble);
        let before = *told;
        *told = trouble.and(before.max(trouble));
        before
    }
}

/// A panic elsewhere leaves nothing half-written behind, so a poisoned lock is taken all the same.
fn locked<T>(held: &Mutex<T>) -> MutexGuard<'_, T> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}
