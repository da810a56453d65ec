//! One series as the store holds it: closed chunks, the growing one, and what its newest sample rests on.

use std::sync::Arc;

use super::chunk::{Chunk, Head};
use super::texts::Pair;
use crate::sample::{Sources, Timestamp};

/// What a chunk costs beside its compressed samples.
const CHUNK_OVERHEAD: usize = size_of::<Chunk>() + 16;

/// A series with at least one sample.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) labels: Arc<[Pair]>,
    pub(super) sources: Sources,
    /// What tells it from the series that had its place before.
    pub(super) serial: u32,
    chunks: Vec<Chunk>,
    head: Head,
}

impl Held {
    /// A series of one sample.
    pub(super) fn new(
        labels: Arc<[Pair]>,
        sources: Sources,
        serial: u32,
        at: Timestamp,
        value: f64,
    ) -> Self {
        Held {
            labels,
            sources,
            serial,
            chunks: Vec::new(),
            head: Head::new(at, value),
        }
    }

    /// Its newest sample.
    pub(super) fn newest(&self) -> (Timestamp, f64) {
        self.head.newest
    }

    /// Adds a sample newer than the newest. Returns by how many bytes the series grew.
    pub(super) fn push(&mut self, at: Timestamp, value: f64) -> usize {
        if self.head.is_full() {
            // Chunks come seldom; room for more of them would cost more than moving them.
            self.chunks.reserve_exact(1);
            self.chunks.push(self.head.close());
            self.head = Head::new(at, value);
            return CHUNK_OVERHEAD + self.head.len();
        }
        let before = self.head.len();
        self.head.push(at, value);
        self.head.len() - before
    }

    /// The samples in `(after, until]`, oldest first.
    pub(super) fn points(&self, after: Timestamp, until: Timestamp) -> Vec<(Timestamp, f64)> {
        let first = self.chunks.partition_point(|chunk| chunk.end <= after);
        let closed = self.chunks.iter().skip(first);
        let closed = closed.take_while(|chunk| chunk.start <= until);
        let head = (self.head.newest.0 > after && self.head.start <= until).then_some(&self.head);
        closed
            .flat_map(Chunk::iter)
            .chain(head.into_iter().flat_map(Head::iter))
            .skip_while(|(at, _)| *at <= after)
            .take_while(|(at, _)| *at <= until)
            .collect()
    }

    /// The newest sample in `(after, until]`. Costs nothing when that is the newest of all.
    pub(super) fn latest(&self, after: Timestamp, until: Timestamp) -> Option<(Timestamp, f64)> {
        if self.head.newest.0 <= until {
            return (self.head.newest.0 > after).then_some(self.head.newest);
        }
        self.points(after, until).last().copied()
    }

    /// Whether any of its chunks may hold samples in `(after, until]`.
    pub(super) fn overlaps(&self, after: Timestamp, until: Timestamp) -> bool {
        let first = self.chunks.first();
        let start = first.map_or(self.head.start, |chunk| chunk.start);
        start <= until && self.head.newest.0 > after
    }

    /// Whether all of its samples are at or before `horizon`.
    pub(super) fn ended_by(&self, horizon: Timestamp) -> bool {
        self.head.newest.0 <= horizon
    }

    /// Drops the chunks that end at or before `horizon`; the growing one stays.
    /// Returns the time of the last sample dropped.
    pub(super) fn drop_until(&mut self, horizon: Timestamp) -> Option<Timestamp> {
        let old = self.chunks.partition_point(|chunk| chunk.end <= horizon);
        self.chunks.drain(..old).next_back().map(|chunk| chunk.end)
    }

    /// End and bytes of every chunk, the growing one included.
    pub(super) fn ends(&self) -> impl Iterator<Item = (Timestamp, usize)> {
        let closed = self.chunks.iter();
        closed
            .map(|chunk| (chunk.end, chunk.len() + CHUNK_OVERHEAD))
            .chain([(self.head.newest.0, self.head.len())])
    }

    /// Samples held.
    pub(super) fn samples(&self) -> usize {
        let closed: usize = self.chunks.iter().map(|c| usize::from(c.count)).sum();
        closed + usize::from(self.head.count)
    }

    /// Bytes of its chunks, its labels and its places in the indexes. The texts of labels are shared; what each series
    /// adds to them is among the 10 bytes per label that are added here.
    pub(super) fn bytes(&self) -> usize {
        let chunks: usize = self.ends().map(|(_, bytes)| bytes).sum();
        chunks + size_of::<Held>() + 72 + self.labels.len() * (size_of::<Pair>() + 10)
    }
}
