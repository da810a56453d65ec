//! One series as the store holds it: closed chunks, the growing one, and what its newest sample rests on.

use super::chunk::{Chunk, Head};
use super::heap;
use crate::sample::{Labels, Sources, Timestamp};

/// A series with at least one sample.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) labels: Labels,
    pub(super) sources: Sources,
    /// What tells it from the series that had its place before. Grows with the place.
    pub(super) serial: u64,
    chunks: Vec<Chunk>,
    head: Head,
}

/// What a series has lost to retention.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dropped {
    /// The time of the last sample dropped.
    pub(super) end: Option<Timestamp>,
    /// How many samples.
    pub(super) samples: usize,
    /// The memory they took.
    pub(super) bytes: usize,
}

impl Held {
    /// A series of a growing chunk and those before it.
    pub(super) fn new(
        labels: Labels,
        sources: Sources,
        serial: u64,
        chunks: Vec<Chunk>,
        head: Head,
    ) -> Self {
        Held {
            labels,
            sources,
            serial,
            chunks,
            head,
        }
    }

    /// Its newest sample.
    pub(super) fn newest(&self) -> (Timestamp, f64) {
        self.head.newest
    }

    /// The time of its oldest sample.
    pub(super) fn start(&self) -> Timestamp {
        let first = self.chunks.first();
        first.map_or(self.head.start, |chunk| chunk.start)
    }

    /// Its chunks that grow no more.
    pub(super) fn closed(&self) -> &[Chunk] {
        &self.chunks
    }

    /// The chunk that grows.
    pub(super) fn head(&self) -> &Head {
        &self.head
    }

    /// Adds a sample newer than the newest. Returns by how many bytes the series grew.
    pub(super) fn push(&mut self, at: Timestamp, value: f64) -> usize {
        let before = self.head.heap();
        if !self.head.is_full() {
            self.head.push(at, value);
            return self.head.heap() - before;
        }
        let list = heap::list::<Chunk>(self.chunks.capacity());
        let chunk = self.head.close();
        self.head = Head::new(at, value);
        let grown = chunk.heap() + self.head.heap();
        // Chunks come seldom; room for more of them would cost more than moving them.
        self.chunks.reserve_exact(1);
        self.chunks.push(chunk);
        (grown + heap::list::<Chunk>(self.chunks.capacity())).saturating_sub(before + list)
    }

    /// The samples in `(after, until]`, oldest first.
    pub(super) fn points(&self, after: Timestamp, until: Timestamp) -> Vec<(Timestamp, f64)> {
        let first = self.chunks.partition_point(|chunk| chunk.end <= after);
        let closed = &self.chunks[first..];
        let closed = &closed[..closed.partition_point(|chunk| chunk.start <= until)];
        let head = (self.head.newest.0 > after && self.head.start <= until).then_some(&self.head);
        let share = |start, end, count| expected(start, end, count, after, until);
        let shares = closed.iter().map(|c| share(c.start, c.end, c.count));
        let last = head.map_or(0, |head| share(head.start, head.newest.0, head.count));
        let mut points = Vec::with_capacity(shares.sum::<usize>() + last);
        let mut take = |samples| keep(samples, after, until, &mut points);
        closed.iter().for_each(|chunk| take(chunk.iter()));
        head.into_iter().for_each(|head| take(head.iter()));
        points
    }

    /// The newest sample in `(after, until]`. Costs nothing when that is the newest of all.
    pub(super) fn latest(&self, after: Timestamp, until: Timestamp) -> Option<(Timestamp, f64)> {
        if self.head.newest.0 <= until {
            return (self.head.newest.0 > after).then_some(self.head.newest);
        }
        let newest = if self.head.start <= until {
            last_until(self.head.iter(), until)
        } else {
            let before = self.chunks.partition_point(|chunk| chunk.start <= until);
            let chunk = self.chunks[..before].last()?;
            last_until(chunk.iter(), until)
        };
        newest.filter(|(at, _)| *at > after)
    }

    /// Whether any of its chunks may hold samples in `(after, until]`.
    pub(super) fn overlaps(&self, after: Timestamp, until: Timestamp) -> bool {
        self.start() <= until && self.head.newest.0 > after
    }

    /// Whether all of its samples are at or before `horizon`.
    pub(super) fn ended_by(&self, horizon: Timestamp) -> bool {
        self.head.newest.0 <= horizon
    }

    /// Drops the chunks that end at or before `horizon`; the growing one stays.
    pub(super) fn drop_until(&mut self, horizon: Timestamp) -> Dropped {
        let old = self.chunks.partition_point(|chunk| chunk.end <= horizon);
        if old == 0 {
            return Dropped::default();
        }
        let before = self.bytes();
        let mut dropped = Dropped::default();
        for chunk in self.chunks.drain(..old) {
            dropped.end = Some(chunk.end);
            dropped.samples += usize::from(chunk.count);
        }
        self.chunks.shrink_to_fit();
        dropped.bytes = before - self.bytes();
        dropped
    }

    /// End and bytes of every chunk, the growing one included.
    pub(super) fn ends(&self) -> impl Iterator<Item = (Timestamp, usize)> {
        let closed = self.chunks.iter();
        closed
            .map(|chunk| (chunk.end, chunk.heap() + size_of::<Chunk>()))
            .chain([(self.head.newest.0, self.head.heap())])
    }

    /// Samples held.
    pub(super) fn samples(&self) -> usize {
        let closed: usize = self.chunks.iter().map(|c| usize::from(c.count)).sum();
        closed + usize::from(self.head.count)
    }

    /// The memory it takes; the texts of its labels and its sources are shared and counted elsewhere.
    pub(super) fn bytes(&self) -> usize {
        let closed: usize = self.chunks.iter().map(Chunk::heap).sum();
        let pair = size_of::<(std::sync::Arc<str>, std::sync::Arc<str>)>();
        heap::block(size_of::<Held>())
            + heap::shared(self.labels.len() * pair)
            + heap::list::<Chunk>(self.chunks.capacity())
            + closed
            + self.head.heap()
    }
}

/// How many of the samples of a chunk are about to be in `(after, until]`, if they come evenly.
fn expected(
    start: Timestamp,
    end: Timestamp,
    count: u16,
    after: Timestamp,
    until: Timestamp,
) -> usize {
    if start > after && end <= until {
        return usize::from(count);
    }
    let whole = end.0.abs_diff(start.0).max(1) as f64;
    let common = end.min(until).0.abs_diff(start.max(after).0) as f64;
    (f64::from(count) * common / whole) as usize + 2
}

fn keep(
    samples: impl Iterator<Item = (Timestamp, f64)>,
    after: Timestamp,
    until: Timestamp,
    points: &mut Vec<(Timestamp, f64)>,
) {
    for (at, value) in samples {
        if at > until {
            return;
        }
        if at > after {
            points.push((at, value));
        }
    }
}

fn last_until(
    samples: impl Iterator<Item = (Timestamp, f64)>,
    until: Timestamp,
) -> Option<(Timestamp, f64)> {
    samples.take_while(|(at, _)| *at <= until).last()
}
