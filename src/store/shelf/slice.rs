//! A few series after the other as they are compressed, so that who copies the store holds its lock for a moment only.

use super::Shelf;
use crate::sample::{Labels, Sources, Timestamp};
use crate::store::arena::Arena;
use crate::store::series::Held;
use crate::store::snapshot::LONGEST_LABELS;

/// A slice ends when it has so many bytes of samples, or so many series.
const BYTES: usize = 256 << 10;
const SERIES: usize = 512;

/// Where a slice ends.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::store) struct Mark {
    id: usize,
    serial: u64,
}

/// Some series, one after the other.
#[derive(Debug, Default)]
pub(in crate::store) struct Slice {
    /// What tells their pieces whose they are: labels, sources, and the number of pieces.
    pub(in crate::store) series: Vec<(Labels, Sources, usize)>,
    /// The chunks of all of them.
    pub(in crate::store) pieces: Vec<Piece>,
    /// The samples of all pieces.
    pub(in crate::store) bytes: Vec<u8>,
    /// Where it ends.
    pub(in crate::store) end: Mark,
}

/// A chunk whose samples are in the bytes of its slice.
#[derive(Debug)]
pub(in crate::store) struct Piece {
    /// Time of its first sample.
    pub(in crate::store) start: Timestamp,
    /// Milliseconds from its first sample to its last.
    pub(in crate::store) span: u32,
    /// Its samples.
    pub(in crate::store) count: u8,
    /// The bytes these take.
    pub(in crate::store) length: usize,
}

impl Piece {
    /// Time of its last sample.
    pub(in crate::store) fn end(&self) -> Timestamp {
        Timestamp(self.start.0.saturating_add(i64::from(self.span)))
    }
}

impl Shelf {
    /// The series that follow a mark. Series that came or went meanwhile shift nothing: serials stay.
    pub(in crate::store) fn slice(&self, after: Mark) -> Slice {
        let mut slice = Slice {
            end: after,
            ..Slice::default()
        };
        let mut id = after.id.min(self.series.len());
        let follows =
            |held: &Option<Box<Held>>| held.as_ref().is_none_or(|held| held.serial > after.serial);
        // Gaps that were closed have moved the series that follow towards the start.
        while id > 0 && follows(&self.series[id - 1]) {
            id -= 1;
        }
        for held in &self.series[id..] {
            if slice.bytes.len() >= BYTES || slice.series.len() >= SERIES {
                break;
            }
            id += 1;
            let Some(held) = held else { continue };
            slice.end.serial = held.serial;
            if text(&held.labels) <= LONGEST_LABELS {
                slice.add(held, &self.arena);
            }
        }
        slice.end.id = id;
        slice
    }
}

impl Slice {
    fn add(&mut self, held: &Held, arena: &Arena) {
        for chunk in held.closed() {
            self.bytes.extend_from_slice(arena.get(chunk.spot));
            self.pieces.push(Piece {
                start: chunk.start,
                span: chunk.span,
                count: chunk.count,
                length: chunk.spot.len(),
            });
        }
        let head = held.head();
        head.append_to(&mut self.bytes);
        self.pieces.push(Piece {
            start: head.start,
            span: (head.newest.0.0 - head.start.0) as u32,
            count: head.count,
            length: head.len(),
        });
        let pieces = held.closed().len() + 1;
        self.series
            .push((held.labels.clone(), held.sources.clone(), pieces));
    }
}

fn text(labels: &Labels) -> usize {
    labels
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum()
}
