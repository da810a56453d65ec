//! A string of bits over bytes: written at its end, read from its start.

/// Bits as they are appended.
#[derive(Debug, Clone, Default)]
pub(super) struct Writer {
    bytes: Vec<u8>,
    free: u32,
}

impl Writer {
    /// Appends the lowest `count` bits of `value`, the highest of them first.
    pub(super) fn write(&mut self, value: u64, count: u32) {
        let mut left = count;
        while left > 0 {
            if self.free == 0 {
                self.bytes.push(0);
                self.free = 8;
            }
            let taken = left.min(self.free);
            let piece = (value >> (left - taken)) & ((1 << taken) - 1);
            if let Some(last) = self.bytes.last_mut() {
                *last |= (piece << (self.free - taken)) as u8;
            }
            self.free -= taken;
            left -= taken;
        }
    }

    /// The bytes so far; the last one is padded with zeros.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Bits as they are taken off again. Beyond the end there are zeros.
#[derive(Debug, Clone)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    place: usize,
}

impl<'a> Reader<'a> {
    /// Reads from the first bit on.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Reader { bytes, place: 0 }
    }

    /// Takes `count` bits, at most 64.
    pub(super) fn read(&mut self, count: u32) -> u64 {
        let mut value = 0;
        let mut left = count;
        while left > 0 {
            let used = (self.place % 8) as u32;
            let taken = left.min(8 - used);
            let byte = self.bytes.get(self.place / 8).copied().unwrap_or(0);
            let piece = (u64::from(byte) >> (8 - used - taken)) & ((1 << taken) - 1);
            value = (value << taken) | piece;
            self.place += taken as usize;
            left -= taken;
        }
        value
    }

    /// Takes one bit.
    pub(super) fn bit(&mut self) -> bool {
        self.read(1) == 1
    }

    /// Counts ones up to the next zero, at most `limit` of them.
    pub(super) fn ones(&mut self, limit: u32) -> u32 {
        (0..limit).take_while(|_| self.bit()).count() as u32
    }
}
