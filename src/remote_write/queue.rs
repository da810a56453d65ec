//! What waits for one endpoint, oldest first, compressed as it is sent. When there is too much of it the oldest goes.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use prost::bytes::Bytes;
use tokio::sync::Notify;

use crate::sample::Timestamp;

/// One request.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Parcel {
    /// Encoded and compressed.
    pub(super) body: Bytes,
    pub(super) samples: u64,
    /// Times of its oldest and its newest sample; none where it tells what metrics are.
    pub(super) span: Option<(Timestamp, Timestamp)>,
}

/// The parcels of one endpoint. Whoever sends takes one at a time.
#[derive(Debug, Default)]
pub(super) struct Queue {
    held: Mutex<Held>,
    news: Notify,
}

#[derive(Debug, Default)]
struct Held {
    parcels: VecDeque<Parcel>,
    waiting: Waiting,
    /// Whether the first is being sent.
    under_way: bool,
}

/// How much waits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Waiting {
    pub(super) samples: u64,
    pub(super) bytes: u64,
}

impl Queue {
    /// Adds a parcel. The oldest give way while there are more than `max_bytes`, but for the one that is being sent and
    /// the one that came: says how many samples are lost with them.
    pub(super) fn push(&self, parcel: Parcel, max_bytes: u64) -> u64 {
        let mut held = self.held();
        held.waiting.samples += parcel.samples;
        held.waiting.bytes += parcel.body.len() as u64;
        held.parcels.push_back(parcel);
        let oldest = usize::from(held.under_way);
        let mut lost = 0;
        while held.waiting.bytes > max_bytes && held.parcels.len() > oldest + 1 {
            lost += held.remove(oldest);
        }
        drop(held);
        self.news.notify_one();
        lost
    }

    /// The oldest parcel, which is being sent from now on; waits until there is one.
    pub(super) async fn next(&self) -> Parcel {
        loop {
            if let Some(parcel) = self.take_up() {
                return parcel;
            }
            self.news.notified().await;
        }
    }

    /// The oldest parcel, which is being sent from now on, if there is any.
    pub(super) fn take_up(&self) -> Option<Parcel> {
        let mut held = self.held();
        let first = held.parcels.front().cloned();
        held.under_way = first.is_some();
        first
    }

    /// The parcel that was being sent is done with.
    pub(super) fn done(&self) {
        let mut held = self.held();
        if std::mem::take(&mut held.under_way) {
            held.remove(0);
        }
    }

    /// The parcel that was being sent waits again.
    pub(super) fn put_back(&self) {
        self.held().under_way = false;
    }

    /// How much waits, with what is being sent.
    pub(super) fn waiting(&self) -> Waiting {
        self.held().waiting
    }

    /// The time of the oldest sample that waits or is being sent.
    pub(super) fn oldest(&self) -> Option<Timestamp> {
        let held = self.held();
        let mut spans = held.parcels.iter().filter_map(|parcel| parcel.span);
        spans.next().map(|(oldest, _)| oldest)
    }

    /// Whether it is told what metrics are once this is sent.
    pub(super) fn holds_metadata(&self) -> bool {
        let held = self.held();
        held.parcels.iter().any(|parcel| parcel.span.is_none())
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn remove(&mut self, place: usize) -> u64 {
        let Some(parcel) = self.parcels.remove(place) else {
            return 0;
        };
        self.waiting.samples -= parcel.samples;
        self.waiting.bytes -= parcel.body.len() as u64;
        parcel.samples
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parcel(number: i64) -> Parcel {
        Parcel {
            body: vec![0; 10].into(),
            samples: 3,
            span: Some((Timestamp(number), Timestamp(number))),
        }
    }

    #[test]
    fn a_full_queue_loses_its_oldest_but_for_what_is_being_sent() {
        let queue = Queue::default();
        let push = |number: i64| queue.push(parcel(number), 30);
        assert_eq!([push(1), push(2), push(3)], [0, 0, 0]);
        assert_eq!(queue.take_up(), Some(parcel(1)));
        assert_eq!(push(4), 3);
        let samples = 9;
        assert_eq!(queue.waiting(), Waiting { samples, bytes: 30 });
        queue.put_back();
        assert_eq!(push(5), 3);
        for left in [3, 4, 5] {
            assert_eq!(queue.take_up(), Some(parcel(left)));
            queue.done();
        }
        assert_eq!(queue.take_up(), None);
        queue.done();
        assert_eq!(queue.waiting(), Waiting::default());
        assert_eq!(queue.push(parcel(6), 5), 0, "one always finds room");
    }
}
