//! From the bits of a chunk back to its samples.

use super::bits::Reader;
use super::chunk::WIDTHS;
use crate::sample::Timestamp;

/// Walks over the samples of a chunk. Whatever the bytes are, it ends and gives `count` samples.
pub(super) struct Samples<'a> {
    bits: Reader<'a>,
    left: u8,
    first: bool,
    at: i64,
    interval: i64,
    value: u64,
    /// How many bits a difference has, and by how many it is shifted.
    length: u32,
    shift: u32,
}

impl<'a> Samples<'a> {
    /// So many samples in these bytes.
    pub(super) fn of(start: Timestamp, count: u8, bytes: &'a [u8]) -> Self {
        Samples::new(start, count, Reader::new(bytes))
    }

    /// So many samples in bits that are still being written.
    pub(super) fn new(start: Timestamp, count: u8, bits: Reader<'a>) -> Self {
        Samples {
            bits,
            left: count,
            first: true,
            at: start.0,
            interval: 0,
            value: 0,
            length: 1,
            shift: 0,
        }
    }

    #[inline]
    fn step(&mut self) {
        self.bits.refill();
        let next = self.bits.peek();
        if next >> 62 == 0 {
            // Neither the interval nor the value has changed.
            self.bits.skip(2);
            self.at = self.at.wrapping_add(self.interval);
            return;
        }
        self.step_time(next);
        self.step_value();
    }

    #[inline]
    fn step_time(&mut self, next: u64) {
        let change = match next.leading_ones() {
            0 => {
                self.bits.skip(1);
                0
            }
            1 => self.change(2, WIDTHS[1]),
            2 => self.change(3, WIDTHS[2]),
            3 => self.change(4, WIDTHS[3]),
            _ => {
                self.bits.skip(4);
                let change = self.bits.read(64) as i64;
                self.bits.refill();
                change
            }
        };
        self.interval = self.interval.wrapping_add(change);
        self.at = self.at.wrapping_add(self.interval);
    }

    #[inline]
    fn change(&mut self, prefix: u32, width: u32) -> i64 {
        let change = ((self.bits.peek() << prefix) as i64) >> (64 - width);
        self.bits.skip(prefix + width);
        change
    }

    /// At least 13 bits can be seen: no change of an interval but the longest takes more than 24 of 56.
    #[inline]
    fn step_value(&mut self) {
        let next = self.bits.peek();
        match next >> 62 {
            0 | 1 => return self.bits.skip(1),
            2 => self.bits.skip(2),
            _ => {
                let leading = ((next >> 57) & 31) as u32;
                self.length = ((next >> 51) & 63) as u32 + 1;
                self.shift = 64u32.saturating_sub(leading + self.length);
                self.bits.skip(13);
            }
        }
        self.value ^= self.bits.read(self.length) << self.shift;
    }
}

impl Iterator for Samples<'_> {
    type Item = (Timestamp, f64);

    #[inline]
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
