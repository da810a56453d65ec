//! A string of bits over words of 64: written at its end, read from its start.

use super::heap;

/// Bits as they are appended.
#[derive(Debug, Clone, Default)]
pub(super) struct Writer {
    /// Whole words, the first bit of each the highest.
    bytes: Vec<u8>,
    /// The bits after them, from the highest on; zeros below.
    word: u64,
    /// How many those are, fewer than 64.
    used: u32,
}

impl Writer {
    /// Appends the lowest `count` bits of `value`, at most 64, the highest of them first.
    #[inline]
    pub(super) fn write(&mut self, value: u64, count: u32) {
        let Some(aligned) = value.checked_shl(64 - count) else {
            return;
        };
        self.word |= aligned >> self.used;
        self.used += count;
        if self.used >= 64 {
            if self.bytes.len() == self.bytes.capacity() {
                self.grow();
            }
            self.bytes.extend_from_slice(&self.word.to_be_bytes());
            self.used -= 64;
            self.word = aligned.checked_shl(count - self.used).unwrap_or(0);
        }
    }

    /// Bytes they take as written, the last one padded.
    pub(super) fn len(&self) -> usize {
        self.bytes.len() + self.used.div_ceil(8) as usize
    }

    /// Appends the bits so far to others; the last byte is padded with zeros.
    pub(super) fn append_to(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.bytes);
        let tail = self.word.to_be_bytes();
        bytes.extend_from_slice(&tail[..self.used.div_ceil(8) as usize]);
    }

    /// Begins anew in the same memory, or in less where a good part of it was not needed.
    pub(super) fn clear(&mut self) {
        self.bytes
            .shrink_to(self.bytes.len() + self.bytes.len() / 2);
        self.bytes.clear();
        (self.word, self.used) = (0, 0);
    }

    /// There are many writers, and each soon has what it needs: to double would waste more than it spares.
    #[cold]
    fn grow(&mut self) {
        let more = (self.bytes.len() / 4).next_multiple_of(16);
        self.bytes.reserve_exact(more.max(24));
    }

    /// What it takes beside itself.
    pub(super) fn heap(&self) -> usize {
        heap::block(self.bytes.capacity())
    }

    /// Reads from the first bit on.
    pub(super) fn reader(&self) -> Reader<'_> {
        Reader {
            tail: self.word,
            ..Reader::new(&self.bytes)
        }
    }
}

/// Bits as they are taken off again. Beyond the end there are zeros.
#[derive(Debug, Clone)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    /// The word after the bytes.
    tail: u64,
    /// The byte that comes next into the word.
    next: usize,
    /// The bits that come next, from the highest on: `left` are there for sure, what stands below them is right too.
    word: u64,
    left: u32,
}

impl<'a> Reader<'a> {
    /// Reads from the first bit on.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Reader {
            bytes,
            tail: 0,
            next: 0,
            word: 0,
            left: 0,
        }
    }

    /// Makes sure that the next 56 bits can be seen.
    #[inline]
    pub(super) fn refill(&mut self) {
        let rest = self.bytes.get(self.next..).unwrap_or_default();
        let word = match rest.first_chunk() {
            Some(word) => u64::from_be_bytes(*word),
            None => self.last(rest),
        };
        self.word |= word >> self.left;
        self.next += ((63 - self.left) / 8) as usize;
        self.left |= 56;
    }

    /// The bits that come next, from the highest on; those after the 56th since [`Reader::refill`] may be missing.
    #[inline]
    pub(super) fn peek(&self) -> u64 {
        self.word
    }

    /// Takes bits off that were seen.
    #[inline]
    pub(super) fn skip(&mut self, count: u32) {
        self.word <<= count;
        self.left -= count;
    }

    /// Takes `count` bits, 1 to 64.
    #[inline]
    pub(super) fn read(&mut self, count: u32) -> u64 {
        self.refill();
        if count > 56 {
            let high = self.word >> 32;
            self.skip(32);
            return (high << (count - 32)) | self.read(count - 32);
        }
        let value = self.word >> (64 - count);
        self.skip(count);
        value
    }

    /// The next word where the bytes end within it.
    #[cold]
    fn last(&self, rest: &[u8]) -> u64 {
        let mut word = [0; 8];
        let beyond = self.next.saturating_sub(self.bytes.len());
        let tail = self.tail.to_be_bytes();
        let tail = tail.get(beyond..).unwrap_or_default();
        for (place, byte) in word.iter_mut().zip(rest.iter().chain(tail)) {
            *place = *byte;
        }
        u64::from_be_bytes(word)
    }
}
