//! Up to 120 samples of one series, compressed as Facebook's Gorilla does: times as the change of their interval, values
//! as the bits in which they differ.

use std::ops::RangeInclusive;

use super::arena::{Arena, Spot};
use super::bits::Writer;
use super::samples::Samples;
use crate::sample::Timestamp;

/// A chunk takes no more samples than this.
pub(super) const CAPACITY: u8 = 120;

/// Widths in bits of the change of an interval, in milliseconds, behind a prefix of as many ones as its place.
/// Collectors run on time to a millisecond or two, so the first are short; one that missed a turn or went to another
/// interval is in the fourth.
pub(super) const WIDTHS: [u32; 5] = [0, 3, 7, 20, 64];

/// A closed chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Chunk {
    /// Time of its first sample.
    pub(super) start: Timestamp,
    /// Milliseconds from its first sample to its last.
    pub(super) span: u32,
    /// Its samples.
    pub(super) count: u8,
    /// Where these are.
    pub(super) spot: Spot,
}

/// The chunk that still grows.
#[derive(Debug, Clone)]
pub(super) struct Head {
    /// Time of its first sample.
    pub(super) start: Timestamp,
    /// Its newest sample.
    pub(super) newest: (Timestamp, f64),
    /// Its samples.
    pub(super) count: u8,
    interval: i64,
    window: Window,
    bits: Writer,
}

/// The bits between leading and trailing zeros in which the last two different values differed.
#[derive(Debug, Clone, Copy, Default)]
struct Window {
    leading: u8,
    length: u8,
}

impl Head {
    /// A chunk of one sample.
    pub(super) fn new(at: Timestamp, value: f64) -> Self {
        Head::begin(Writer::default(), at, value)
    }

    fn begin(mut bits: Writer, at: Timestamp, value: f64) -> Self {
        bits.write(value.to_bits(), 64);
        Head {
            start: at,
            newest: (at, value),
            count: 1,
            interval: 0,
            window: Window::default(),
            bits,
        }
    }

    /// Adds a sample; it must be newer than the newest.
    pub(super) fn push(&mut self, at: Timestamp, value: f64) {
        let interval = at.0.wrapping_sub(self.newest.0.0);
        self.write_interval(interval.wrapping_sub(self.interval));
        self.write_value(self.newest.1.to_bits() ^ value.to_bits());
        self.interval = interval;
        self.newest = (at, value);
        self.count += 1;
    }

    /// The chunk that samples make, up to `until`. Nothing where they are not in order.
    pub(super) fn of(samples: Samples<'_>, until: Timestamp) -> Option<Head> {
        let mut samples = samples.take_while(|(at, _)| *at <= until);
        let (at, value) = samples.next()?;
        let mut head = Head::new(at, value);
        for (at, value) in samples {
            if at <= head.newest.0 {
                return None;
            }
            head.push(at, value);
        }
        Some(head)
    }

    /// Whether a sample of this time still fits.
    pub(super) fn takes(&self, at: Timestamp) -> bool {
        self.count < CAPACITY && u32::try_from(at.0.wrapping_sub(self.start.0)).is_ok()
    }

    /// What it takes beside itself.
    pub(super) fn heap(&self) -> usize {
        self.bits.heap()
    }

    /// Bytes of its samples, and these behind others.
    pub(super) fn append_to(&self, bytes: &mut Vec<u8>) {
        self.bits.append_to(bytes);
    }

    /// How many bytes [`Head::append_to`] appends.
    pub(super) fn len(&self) -> usize {
        self.bits.len()
    }

    /// The samples, oldest first.
    pub(super) fn iter(&self) -> Samples<'_> {
        Samples::new(self.start, self.count, self.bits.reader())
    }

    /// Closes the chunk and goes on with the next one, which begins with this sample.
    pub(super) fn close(&mut self, arena: &mut Arena, at: Timestamp, value: f64) -> Chunk {
        let end = self.newest.0;
        let chunk = Chunk {
            start: self.start,
            span: (end.0 - self.start.0) as u32,
            count: self.count,
            spot: arena.keep(end, self.len(), |bytes| self.append_to(bytes)),
        };
        // The memory that this chunk took is about right for the next one.
        let mut bits = std::mem::take(&mut self.bits);
        bits.clear();
        *self = Head::begin(bits, at, value);
        chunk
    }

    fn write_interval(&mut self, change: i64) {
        if change == 0 {
            self.bits.write(0, 1);
            return;
        }
        let place = WIDTHS
            .iter()
            .position(|width| fits(change, *width))
            .unwrap_or(WIDTHS.len() - 1);
        let (ones, width) = (place as u32, WIDTHS[place]);
        match width {
            64 => self.bits.write((1 << ones) - 1, ones),
            _ => self.bits.write((1 << (ones + 1)) - 2, ones + 1),
        }
        self.bits.write(change as u64, width);
    }

    fn write_value(&mut self, difference: u64) {
        if difference == 0 {
            self.bits.write(0, 1);
            return;
        }
        let leading = difference.leading_zeros().min(31) as u8;
        let length = 64 - leading - difference.trailing_zeros() as u8;
        let known = self.window;
        let end = leading + length;
        if known.length > 0 && leading >= known.leading && end <= known.leading + known.length {
            self.bits.write(0b10, 2);
        } else {
            self.window = Window { leading, length };
            let head = (0b11 << 11) | (u64::from(leading) << 6) | u64::from(length - 1);
            self.bits.write(head, 13);
        }
        let Window { leading, length } = self.window;
        let shift = 64 - leading - length;
        self.bits.write(difference >> shift, u32::from(length));
    }
}

impl Chunk {
    /// Time of its last sample.
    pub(super) fn end(&self) -> Timestamp {
        Timestamp(self.start.0.saturating_add(i64::from(self.span)))
    }

    /// The samples, oldest first.
    pub(super) fn iter<'a>(&self, arena: &'a Arena) -> Samples<'a> {
        Samples::of(self.start, self.count, arena.get(self.spot))
    }

    /// How many bytes so many samples may take: two bits each but for the first at least, 145 at most.
    pub(super) fn lengths(count: u8) -> RangeInclusive<usize> {
        let more = usize::from(count.saturating_sub(1));
        8 + (2 * more).div_ceil(8)..=8 + (145 * more).div_ceil(8)
    }
}

fn fits(change: i64, width: u32) -> bool {
    match width {
        0 => change == 0,
        _ => (change << (64 - width)) >> (64 - width) == change,
    }
}

#[cfg(test)]
mod tests;
