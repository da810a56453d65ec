//! One series as the store holds it: closed chunks, the growing one, and what its newest sample rests on.

use std::sync::Arc;

use super::arena::Arena;
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

    /// Adds a sample newer than the newest. Returns by how many bytes the series grew; it shrinks when a chunk that took
    /// little follows one that took much.
    pub(super) fn push(&mut self, arena: &mut Arena, at: Timestamp, value: f64) -> isize {
        let before = self.head.heap() + heap::list::<Chunk>(self.chunks.capacity());
        if self.head.takes(at) {
            self.head.push(at, value);
        } else {
            if self.chunks.len() == self.chunks.capacity() {
                // Their number soon stays the same, so there is no need to double it.
                self.chunks.reserve_exact(1 + self.chunks.len() / 8);
            }
            self.chunks.push(self.head.close(arena, at, value));
        }
        let after = self.head.heap() + heap::list::<Chunk>(self.chunks.capacity());
        after as isize - before as isize
    }

    /// The samples in `(after, until]`, oldest first.
    pub(super) fn points(
        &self,
        arena: &Arena,
        after: Timestamp,
        until: Timestamp,
    ) -> Vec<(Timestamp, f64)> {
        let first = self.chunks.partition_point(|chunk| chunk.end() <= after);
        let closed = &self.chunks[first..];
        let closed = &closed[..closed.partition_point(|chunk| chunk.start <= until)];
        let head = (self.head.newest.0 > after && self.head.start <= until).then_some(&self.head);
        let share = |start, end, count| expected(start, end, count, after, until);
        let shares = closed
            .iter()
            .map(|chunk| share(chunk.start, chunk.end(), chunk.count));
        let last = head.map_or(0, |head| share(head.start, head.newest.0, head.count));
        let mut points = Vec::with_capacity(shares.sum::<usize>() + last);
        let mut take = |samples| keep(samples, after, until, &mut points);
        closed.iter().for_each(|chunk| take(chunk.iter(arena)));
        head.into_iter().for_each(|head| take(head.iter()));
        points
    }

    /// The newest sample in `(after, until]`. Costs nothing when that is the newest of all.
    pub(super) fn latest(
        &self,
        arena: &Arena,
        after: Timestamp,
        until: Timestamp,
    ) -> Option<(Timestamp, f64)> {
        if self.head.newest.0 <= until {
            return (self.head.newest.0 > after).then_some(self.head.newest);
        }
        let samples = if self.head.start <= until {
            self.head.iter()
        } else {
            let before = self.chunks.partition_point(|chunk| chunk.start <= until);
            self.chunks[..before].last()?.iter(arena)
        };
        let newest = samples.take_while(|(at, _)| *at <= until).last();
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
    pub(super) fn drop_until(&mut self, arena: &mut Arena, horizon: Timestamp) -> Dropped {
        let old = self.chunks.partition_point(|chunk| chunk.end() <= horizon);
        let before = heap::list::<Chunk>(self.chunks.capacity());
        let mut dropped = Dropped::default();
        for chunk in self.chunks.drain(..old) {
            arena.release(chunk.spot);
            dropped.end = Some(chunk.end());
            dropped.samples += usize::from(chunk.count);
        }
        if self.chunks.len() * 2 < self.chunks.capacity() {
            self.chunks.shrink_to_fit();
        }
        dropped.bytes = before - heap::list::<Chunk>(self.chunks.capacity());
        dropped
    }

    /// Lets go of the samples of a series that goes.
    pub(super) fn release(&self, arena: &mut Arena) {
        self.chunks
            .iter()
            .for_each(|chunk| arena.release(chunk.spot));
    }

    /// End and bytes of every chunk, the growing one included.
    pub(super) fn ends(&self) -> impl Iterator<Item = (Timestamp, usize)> {
        let closed = self.chunks.iter();
        closed
            .map(|chunk| (chunk.end(), chunk.spot.len() + size_of::<Chunk>()))
            .chain([(self.head.newest.0, self.head.heap())])
    }

    /// Samples held.
    pub(super) fn samples(&self) -> usize {
        let closed: usize = self.chunks.iter().map(|c| usize::from(c.count)).sum();
        closed + usize::from(self.head.count)
    }

    /// The memory it takes. The samples of closed chunks, the texts of labels and the sources are held elsewhere and
    /// counted there.
    pub(super) fn bytes(&self) -> usize {
        heap::block(size_of::<Held>())
            + heap::shared(self.labels.len() * size_of::<(Arc<str>, Arc<str>)>())
            + heap::list::<Chunk>(self.chunks.capacity())
            + self.head.heap()
    }
}

/// How many of the samples of a chunk are about to be in `(after, until]`, if they come evenly.
fn expected(
    start: Timestamp,
    end: Timestamp,
    count: u8,
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
