//! Memory for the samples of closed chunks, in blocks of one size. Chunks that end at about the same time share blocks, so
//! that they leave them at about the same time; a block that is empty fits wherever another is wanted. So what is freed
//! really comes free, however long the store lives.

use super::heap;
use crate::sample::Timestamp;

/// Bytes of a block. A chunk takes mostly less than a hundred, 2,165 at most.
const BLOCK: usize = 4 << 10;

/// Chunks that do not come in the order of their ends are sorted into so many parts of time, each with its own blocks.
const PARTS: u64 = 32;

/// Where the samples of a chunk are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spot {
    block: u32,
    offset: u16,
    length: u16,
}

/// The blocks.
#[derive(Debug, Default)]
pub(super) struct Arena {
    blocks: Vec<Block>,
    vacant: Vec<u32>,
    /// The block that is being filled, by part.
    open: [Option<u32>; PARTS as usize],
    parts: Parts,
}

/// Parts of the same width, the first and the last of them without end.
#[derive(Debug)]
struct Parts {
    from: i64,
    width: u64,
}

/// A block, and how many chunks are in it.
#[derive(Debug, Default)]
struct Block {
    bytes: Vec<u8>,
    chunks: u32,
}

impl Spot {
    /// How many bytes there are.
    pub(super) fn len(self) -> usize {
        usize::from(self.length)
    }
}

impl Arena {
    /// Sorts the chunks that come by their ends, which lie in a span of time.
    pub(super) fn sort(&mut self, from: Timestamp, until: Timestamp) {
        self.parts = Parts {
            from: from.0,
            width: until.0.abs_diff(from.0) / PARTS + 1,
        };
    }

    /// Sorts no more, for chunks now come in the order of their ends.
    pub(super) fn sorted(&mut self) {
        self.parts = Parts::default();
    }

    /// Takes in `length` bytes, no more than a block has, which `write` appends.
    pub(super) fn keep(
        &mut self,
        end: Timestamp,
        length: usize,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> Spot {
        let part = self.parts.of(end);
        let fits = |at: &u32| self.blocks[*at as usize].bytes.len() + length <= BLOCK;
        let open = self.open[part].filter(fits);
        let at = open.unwrap_or_else(|| self.begin(part));
        let block = &mut self.blocks[at as usize];
        let offset = block.bytes.len() as u16;
        write(&mut block.bytes);
        block.chunks += 1;
        Spot {
            block: at,
            offset,
            length: length as u16,
        }
    }

    /// What was kept.
    pub(super) fn get(&self, spot: Spot) -> &[u8] {
        let block = self.blocks[spot.block as usize]
            .bytes
            .get(usize::from(spot.offset)..);
        block
            .and_then(|rest| rest.get(..spot.len()))
            .unwrap_or_default()
    }

    /// Lets go of it.
    pub(super) fn release(&mut self, spot: Spot) {
        let block = &mut self.blocks[spot.block as usize];
        block.chunks -= 1;
        if block.chunks == 0 {
            *block = Block::default();
            self.vacant.push(spot.block);
            let open = self.open.iter_mut();
            open.filter(|open| **open == Some(spot.block))
                .for_each(|open| *open = None);
        }
    }

    /// The memory it takes.
    pub(super) fn bytes(&self) -> usize {
        let held = self.blocks.len() - self.vacant.len();
        held * heap::block(BLOCK)
            + heap::list::<Block>(self.blocks.capacity())
            + heap::list::<u32>(self.vacant.capacity())
    }

    fn begin(&mut self, part: usize) -> u32 {
        let block = Block {
            bytes: Vec::with_capacity(BLOCK),
            chunks: 0,
        };
        let at = match self.vacant.pop() {
            Some(at) => {
                self.blocks[at as usize] = block;
                at
            }
            None => {
                self.blocks.push(block);
                (self.blocks.len() - 1) as u32
            }
        };
        self.open[part] = Some(at);
        at
    }
}

impl Parts {
    fn of(&self, end: Timestamp) -> usize {
        let after = end.0.saturating_sub(self.from).max(0) as u64;
        (after / self.width).min(PARTS - 1) as usize
    }
}

impl Default for Parts {
    /// All of time in one.
    fn default() -> Self {
        Parts {
            from: 0,
            width: u64::MAX,
        }
    }
}
