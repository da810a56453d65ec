//! Memory for the samples of closed chunks, in blocks of one size. Chunks that end at about the same time share blocks, so
//! that they leave them at about the same time; a block that is empty fits wherever another is wanted. So what is freed
//! really comes free, however long the store lives.

use std::collections::BTreeMap;
use std::time::Duration;

use super::heap;
use crate::sample::Timestamp;

/// Bytes of a block; a chunk takes far less.
const BLOCK: usize = 16 << 10;

/// Into so many parts the time that is kept is cut; chunks that end in one part share blocks.
const PARTS: u32 = 32;

/// Where the samples of a chunk are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spot {
    block: u32,
    offset: u16,
    length: u16,
}

/// The blocks.
#[derive(Debug)]
pub(super) struct Arena {
    blocks: Vec<Block>,
    vacant: Vec<u32>,
    /// The block that is being filled, by the part of time whose chunks it takes.
    open: BTreeMap<i64, u32>,
    part: i64,
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
    /// For chunks that are kept for a time.
    pub(super) fn new(retention: Duration) -> Self {
        Arena {
            blocks: Vec::new(),
            vacant: Vec::new(),
            open: BTreeMap::new(),
            part: part(retention),
        }
    }

    /// From now on chunks are kept for another time.
    pub(super) fn keep_for(&mut self, retention: Duration) {
        self.open.clear();
        self.part = part(retention);
    }

    /// Takes in `length` bytes, no more than a block has, which `write` appends.
    pub(super) fn keep(
        &mut self,
        end: Timestamp,
        length: usize,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> Spot {
        let part = end.0.div_euclid(self.part);
        let open = self.open.get(&part).copied();
        let fits = |at: &u32| self.blocks[*at as usize].bytes.len() + length <= BLOCK;
        let at = open.filter(fits).unwrap_or_else(|| self.open(part));
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
            self.open.retain(|_, open| *open != spot.block);
        }
    }

    /// The memory it takes.
    pub(super) fn bytes(&self) -> usize {
        let held = self.blocks.len() - self.vacant.len();
        held * heap::block(BLOCK)
            + heap::list::<Block>(self.blocks.capacity())
            + heap::list::<u32>(self.vacant.capacity())
    }

    fn open(&mut self, part: i64) -> u32 {
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
        self.open.insert(part, at);
        at
    }
}

fn part(retention: Duration) -> i64 {
    let part = (retention / PARTS).as_millis();
    i64::try_from(part).unwrap_or(i64::MAX).max(1)
}
