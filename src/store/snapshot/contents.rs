//! What sections hold: series and successes. What the bounds forbid is left out on the way, so that a store smaller than
//! its snapshot takes no more memory than it may.

use std::collections::HashMap;

use super::SnapshotError;
use super::parts::Parts;
use super::read::Header;
use super::told::{SOURCE, Told};
use crate::sample::{Labels, Source, Sources, Timestamp};
use crate::store::arena::Arena;
use crate::store::chunk::{CAPACITY, Chunk, Head};
use crate::store::samples::Samples;
use crate::store::series::Held;
use crate::store::shelf::{Piece, Shelf};

/// What is wanted of a snapshot.
pub(super) struct Bounds {
    /// Since when the store covers everything.
    pub(super) start: Timestamp,
    /// Chunks that end by then are left out.
    pub(super) horizon: Timestamp,
    /// Samples after this are left out.
    pub(super) now: Timestamp,
    /// Above this size the oldest are left out.
    pub(super) max_bytes: usize,
    /// Series get serials above this: places of a store that this one replaces must show none of them.
    pub(super) serials: u64,
}

/// The fewest bytes of a series (a label, its sources, its pieces) and a piece.
const SERIES: usize = 5;
const PIECE: usize = 11;

const OUT_OF_ORDER: SnapshotError = SnapshotError::Damaged("samples are out of order");

/// What has been read so far.
pub(super) struct Contents<'b> {
    bounds: &'b Bounds,
    told: Told,
    shelf: Shelf,
    horizon: Timestamp,
    series: u64,
}

impl<'b> Contents<'b> {
    /// Nothing yet of what was taken then.
    pub(super) fn new(bounds: &'b Bounds, header: &Header) -> Self {
        let mut shelf = Shelf::new(bounds.start);
        shelf.number_above(bounds.serials);
        let from = header.oldest.max(bounds.horizon);
        shelf.arena_mut().sort(from, header.taken.max(from));
        Contents {
            bounds,
            told: Told::default(),
            shelf,
            horizon: bounds.horizon,
            series: 0,
        }
    }

    /// How many series there were, those left out included.
    pub(super) fn series(&self) -> u64 {
        self.series
    }

    /// The series that are wanted.
    pub(super) fn into_shelf(mut self) -> Shelf {
        self.shelf.arena_mut().sorted();
        self.shelf
    }

    /// Takes in a section of series.
    pub(super) fn read_series(&mut self, payload: &[u8]) -> Result<(), SnapshotError> {
        let mut parts = Parts::of(payload);
        self.told.read_news(&mut parts)?;
        let (mut series, mut pieces) = (Vec::new(), Vec::new());
        for _ in 0..parts.count(SERIES)? {
            let (labels, sources) = (
                self.told.labels(&mut parts)?,
                self.told.sources(&mut parts)?,
            );
            series.push((labels, sources, parts.count(PIECE)?));
        }
        for _ in 0..series.iter().map(|(_, _, count)| count).sum() {
            pieces.push(read_piece(&mut parts)?);
        }
        let mut pieces = pieces.as_slice();
        for (labels, sources, count) in series {
            let (own, others) = pieces.split_at(count);
            pieces = others;
            self.enter(&labels, &sources, own, &mut parts)?;
        }
        parts.end()
    }

    /// Reads the section of successes.
    pub(super) fn read_successes(
        &mut self,
        payload: &[u8],
    ) -> Result<HashMap<Source, Timestamp>, SnapshotError> {
        let mut parts = Parts::of(payload);
        self.told.read_news(&mut parts)?;
        let mut successes = HashMap::new();
        for _ in 0..parts.count(SOURCE + 8)? {
            successes.insert(self.told.source(&mut parts)?, parts.time()?);
        }
        parts.end()?;
        let Bounds { now, horizon, .. } = *self.bounds;
        successes.retain(|_, at| *at > horizon && *at <= now);
        Ok(successes)
    }

    /// Enters what is wanted of a series.
    fn enter(
        &mut self,
        labels: &Labels,
        sources: &Sources,
        pieces: &[Piece],
        parts: &mut Parts<'_>,
    ) -> Result<(), SnapshotError> {
        self.series += 1;
        if self.shelf.place(labels).is_some() {
            return Err(SnapshotError::Damaged("a series is there twice"));
        }
        self.make_room();
        let mut wanted = self.wanted(pieces, parts)?;
        let Some((last, bytes)) = wanted.pop() else {
            return Ok(());
        };
        let head = self.growing(last, bytes)?;
        if self.shelf.has_room(self.bounds.max_bytes) {
            let sources = self.shelf.shared(sources);
            self.shelf.enter(labels, |labels, serial, arena| {
                let chunks = wanted.into_iter();
                let chunks = chunks.map(|(piece, bytes)| closed(arena, piece, bytes));
                Held::new(labels, sources, serial, chunks.collect(), head)
            });
        }
        Ok(())
    }

    /// Drops the oldest of what is there already, and from now on leaves out what is as old, when the bounds are met.
    fn make_room(&mut self) {
        let Bounds { now, max_bytes, .. } = *self.bounds;
        self.horizon = self.shelf.tidy(now, self.horizon, max_bytes);
    }

    /// The pieces within the bounds, each with its bytes.
    fn wanted<'s, 'p>(
        &self,
        pieces: &'s [Piece],
        parts: &mut Parts<'p>,
    ) -> Result<Vec<(&'s Piece, &'p [u8])>, SnapshotError> {
        let mut wanted = Vec::new();
        let mut before = None;
        for piece in pieces {
            if before.is_some_and(|before| piece.start <= before) {
                return Err(OUT_OF_ORDER);
            }
            before = Some(piece.end());
            let bytes = parts.take(piece.length)?;
            if piece.end() > self.horizon && piece.start <= self.bounds.now {
                wanted.push((piece, bytes));
            }
        }
        Ok(wanted)
    }

    /// The last chunk goes on growing from where it was, or from where the clock is.
    fn growing(&self, piece: &Piece, bytes: &[u8]) -> Result<Head, SnapshotError> {
        let samples = Samples::of(piece.start, piece.count, bytes);
        let head = Head::of(samples, self.bounds.now.min(piece.end())).ok_or(OUT_OF_ORDER)?;
        let whole = head.newest.0 == piece.end() && head.count == piece.count;
        (whole || piece.end() > self.bounds.now)
            .then_some(head)
            .ok_or(OUT_OF_ORDER)
    }
}

fn closed(arena: &mut Arena, piece: &Piece, bytes: &[u8]) -> Chunk {
    Chunk {
        start: piece.start,
        span: piece.span,
        count: piece.count,
        spot: arena.keep(piece.end(), bytes.len(), |block| {
            block.extend_from_slice(bytes)
        }),
    }
}

fn read_piece(parts: &mut Parts<'_>) -> Result<Piece, SnapshotError> {
    let (start, span) = (parts.time()?, u32::try_from(parts.number()?));
    let (count, length) = (parts.byte()?, parts.count(1)?);
    match span {
        Ok(span) if (1..=CAPACITY).contains(&count) && Chunk::lengths(count).contains(&length) => {
            Ok(Piece {
                start,
                span,
                count,
                length,
            })
        }
        _ => Err(SnapshotError::Damaged("a chunk cannot be")),
    }
}
