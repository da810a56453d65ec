//! Up to 120 samples of one series, compressed as Facebook's Gorilla does: times as the change of their interval, values
//! as the bits in which they differ. What a real PostgreSQL says of itself every 15 s takes about 1.1 bytes per sample
//! with the chunk around it, and 360 bytes per series.

use super::bits::{Reader, Writer};
use crate::sample::Timestamp;

/// A chunk takes no more samples than this.
pub(super) const CAPACITY: u16 = 120;

/// Widths in bits of the change of an interval, in milliseconds, behind a prefix of as many ones as its place.
/// Collectors run on time to a few milliseconds, so the second is short.
const WIDTHS: [u32; 5] = [0, 7, 14, 24, 64];

/// A closed chunk.
#[derive(Debug)]
pub(super) struct Chunk {
    /// Time of its first sample.
    pub(super) start: Timestamp,
    /// Time of its last sample.
    pub(super) end: Timestamp,
    /// Its samples.
    pub(super) count: u16,
    bytes: Box<[u8]>,
}

/// The chunk that still grows.
#[derive(Debug, Clone)]
pub(super) struct Head {
    /// Time of its first sample.
    pub(super) start: Timestamp,
    /// Its newest sample.
    pub(super) newest: (Timestamp, f64),
    /// Its samples.
    pub(super) count: u16,
    interval: i64,
    window: Window,
    bits: Writer,
}

/// The bits between leading and trailing zeros in which the last two different values differed.
#[derive(Debug, Clone, Copy, Default)]
struct Window {
    leading: u32,
    length: u32,
}

impl Head {
    /// A chunk of one sample.
    pub(super) fn new(at: Timestamp, value: f64) -> Self {
        let mut bits = Writer::default();
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

    /// Whether no sample fits any more.
    pub(super) fn is_full(&self) -> bool {
        self.count >= CAPACITY
    }

    /// Compressed bytes so far.
    pub(super) fn len(&self) -> usize {
        self.bits.bytes().len()
    }

    /// The samples, oldest first.
    pub(super) fn iter(&self) -> Samples<'_> {
        Samples::new(self.start, self.count, self.bits.bytes())
    }

    /// Closes the chunk.
    pub(super) fn close(&self) -> Chunk {
        Chunk {
            start: self.start,
            end: self.newest.0,
            count: self.count,
            bytes: self.bits.bytes().into(),
        }
    }

    fn write_interval(&mut self, change: i64) {
        let place = WIDTHS
            .iter()
            .position(|width| fits(change, *width))
            .unwrap_or(4);
        let prefix = place as u32;
        self.bits.write((1 << prefix) - 1, prefix);
        if place < WIDTHS.len() - 1 {
            self.bits.write(0, 1);
        }
        self.bits.write(change as u64, WIDTHS[place]);
    }

    fn write_value(&mut self, difference: u64) {
        if difference == 0 {
            self.bits.write(0, 1);
            return;
        }
        let leading = difference.leading_zeros().min(31);
        let length = 64 - leading - difference.trailing_zeros();
        let known = self.window;
        let end = leading + length;
        if known.length > 0 && leading >= known.leading && end <= known.leading + known.length {
            self.bits.write(0b10, 2);
        } else {
            self.window = Window { leading, length };
            self.bits.write(0b11, 2);
            self.bits.write(u64::from(leading), 5);
            self.bits.write(u64::from(length - 1), 6);
        }
        let Window { leading, length } = self.window;
        self.bits
            .write(difference >> (64 - leading - length), length);
    }
}

impl Chunk {
    /// Compressed bytes.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The samples, oldest first.
    pub(super) fn iter(&self) -> Samples<'_> {
        Samples::new(self.start, self.count, &self.bytes)
    }
}

/// Walks over the samples of a chunk.
pub(super) struct Samples<'a> {
    bits: Reader<'a>,
    left: u16,
    first: bool,
    at: i64,
    interval: i64,
    value: u64,
    window: Window,
}

impl<'a> Samples<'a> {
    fn new(start: Timestamp, count: u16, bytes: &'a [u8]) -> Self {
        Samples {
            bits: Reader::new(bytes),
            left: count,
            first: true,
            at: start.0,
            interval: 0,
            value: 0,
            window: Window::default(),
        }
    }

    fn step(&mut self) {
        let width = WIDTHS[self.bits.ones(4) as usize];
        let change = sign_extended(self.bits.read(width), width);
        self.interval = self.interval.wrapping_add(change);
        self.at = self.at.wrapping_add(self.interval);
        if !self.bits.bit() {
            return;
        }
        if self.bits.bit() {
            let leading = self.bits.read(5) as u32;
            let length = self.bits.read(6) as u32 + 1;
            self.window = Window { leading, length };
        }
        let Window { leading, length } = self.window;
        let shift = 64u32.saturating_sub(leading + length);
        self.value ^= self.bits.read(length) << shift;
    }
}

impl Iterator for Samples<'_> {
    type Item = (Timestamp, f64);

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        if std::mem::take(&mut self.first) {
            self.value = self.bits.read(64);
        } else {
            self.step();
        }
        Some((Timestamp(self.at), f64::from_bits(self.value)))
    }
}

fn fits(change: i64, width: u32) -> bool {
    width == 64 || sign_extended(change as u64, width) == change
}

fn sign_extended(value: u64, width: u32) -> i64 {
    match width {
        0 => 0,
        _ => ((value << (64 - width)) as i64) >> (64 - width),
    }
}

#[cfg(test)]
mod tests;
