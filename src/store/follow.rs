//! The tap: hands every sample that the store has taken to whoever follows, waiting for nobody.
//! Nobody's labels are copied here: a follower asks for them when it takes samples.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::Notify;

use super::{Place, Store};
use crate::sample::{Labels, Timestamp};

/// What the shelf tells of each sample that it takes.
#[derive(Debug, Default)]
pub(super) struct Tap {
    pipes: Vec<Weak<Pipe>>,
    taken: Vec<(Place, f64)>,
}

/// Samples on their way to one follower.
#[derive(Debug)]
struct Pipe {
    capacity: usize,
    held: Mutex<Held>,
    news: Notify,
}

#[derive(Debug, Default)]
struct Held {
    batches: VecDeque<Arc<Batch>>,
    /// How many of the first batch have been taken.
    begun: usize,
    waiting: usize,
    missed: u64,
}

/// What was taken at one append.
#[derive(Debug)]
struct Batch {
    at: Timestamp,
    samples: Box<[(Place, f64)]>,
}

/// Hears of every sample that the store takes while it, or a clone of it, lives. Clones share what waits.
#[derive(Debug, Clone)]
pub struct Follower {
    store: Arc<Store>,
    pipe: Arc<Pipe>,
}

/// A sample that the store has taken.
#[derive(Debug, Clone, PartialEq)]
pub struct Followed {
    /// Where its series stands; the same for all of its samples.
    pub place: Place,
    /// All labels, `__name__`, `job` and `instance` included.
    pub labels: Labels,
    /// When it was read.
    pub at: Timestamp,
    /// Its value, which may be the staleness marker.
    pub value: f64,
}

/// What a follower takes at once.
#[derive(Debug, Default)]
pub struct Taken {
    /// In the order in which the store took them.
    pub samples: Vec<Followed>,
    /// How many more there would have been since the last time, had there been room, or were their series still there.
    pub missed: u64,
}

impl Tap {
    /// Notes a sample that was taken.
    pub(super) fn note(&mut self, place: Place, value: f64) {
        if !self.pipes.is_empty() {
            self.taken.push((place, value));
        }
    }

    /// Hands on what was noted since the last time; followers that have gone are forgotten.
    pub(super) fn hand_on(&mut self, at: Timestamp) {
        if self.taken.is_empty() {
            return;
        }
        let samples = self.taken.drain(..).collect();
        let batch = Arc::new(Batch { at, samples });
        self.pipes.retain(|pipe| match pipe.upgrade() {
            Some(pipe) => {
                pipe.put(&batch);
                true
            }
            None => false,
        });
    }
}

impl Pipe {
    fn put(&self, batch: &Arc<Batch>) {
        let mut held = self.held();
        let count = batch.samples.len();
        if held.waiting + count > self.capacity {
            held.missed += count as u64;
        } else {
            held.waiting += count;
            held.batches.push_back(batch.clone());
        }
        drop(held);
        self.news.notify_one();
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn take(&mut self, most: usize) -> Vec<(Timestamp, Place, f64)> {
        let mut taken = Vec::with_capacity(most.min(self.waiting));
        while let Some(batch) = self.batches.front() {
            let rest = &batch.samples[self.begun..];
            let count = rest.len().min(most - taken.len());
            let samples = rest[..count].iter();
            taken.extend(samples.map(|(place, value)| (batch.at, *place, *value)));
            if count < rest.len() {
                self.begun += count;
                break;
            }
            self.begun = 0;
            self.batches.pop_front();
        }
        self.waiting -= taken.len();
        taken
    }
}

impl Store {
    /// Hands on every sample that is taken from now on, staleness markers included. At most `capacity` wait for the
    /// follower; an append that does not fit is missed and counted.
    pub fn follow(self: &Arc<Self>, capacity: usize) -> Follower {
        let pipe = Arc::new(Pipe {
            capacity,
            held: Mutex::default(),
            news: Notify::new(),
        });
        let tap = &mut self.write().shelf.tap;
        tap.pipes.push(Arc::downgrade(&pipe));
        Follower {
            store: self.clone(),
            pipe,
        }
    }
}

impl Follower {
    /// Whether it follows this store.
    pub fn is_of(&self, store: &Arc<Store>) -> bool {
        Arc::ptr_eq(&self.store, store)
    }

    /// Ends once there is something to take. One task may wait at a time.
    pub async fn ready(&self) {
        loop {
            {
                let held = self.pipe.held();
                if held.waiting > 0 || held.missed > 0 {
                    return;
                }
            }
            self.pipe.news.notified().await;
        }
    }

    /// At most so many of the samples that wait, oldest first.
    pub fn take(&self, most: usize) -> Taken {
        let (taken, missed) = {
            let mut held = self.pipe.held();
            (held.take(most), std::mem::take(&mut held.missed))
        };
        let count = taken.len();
        let store = self.store.read();
        let samples: Vec<Followed> = taken
            .into_iter()
            .filter_map(|(at, place, value)| {
                let labels = store.shelf.named(place)?;
                Some(Followed {
                    place,
                    labels,
                    at,
                    value,
                })
            })
            .collect();
        Taken {
            missed: missed + (count - samples.len()) as u64,
            samples,
        }
    }
}

#[cfg(test)]
mod tests;
