//! An object, read piece by piece: memory stays flat however large it is, and a connection that breaks costs one piece.

use std::io::{self, Read};
use std::sync::Arc;

use object_store::path::Path;

use super::line::Line;
use super::refusal::Refusal;

/// Large enough that the way to the store and back is not felt.
const PIECE: u64 = 4 << 20;

/// An object being read.
pub(super) struct Pieces {
    pub(super) line: Arc<Line>,
    pub(super) path: Path,
    /// What it was when it was listed: it is read as that, or not at all.
    pub(super) version: Option<String>,
    pub(super) bytes: u64,
    piece: Vec<u8>,
    /// How much of the piece was handed on.
    taken: usize,
    /// Where the next piece begins.
    next: u64,
}

impl Pieces {
    pub(super) fn new(line: Arc<Line>, path: Path, version: Option<String>, bytes: u64) -> Self {
        Pieces {
            line,
            path,
            version,
            bytes,
            piece: Vec::new(),
            taken: 0,
            next: 0,
        }
    }

    fn fetch(&mut self) -> Result<(), Refusal> {
        let range = self.next..(self.next + PIECE).min(self.bytes);
        self.taken = 0;
        self.piece.clear();
        let version = self.version.as_deref();
        self.line.read(
            &self.path,
            version,
            self.bytes,
            range.clone(),
            &mut self.piece,
        )?;
        self.next = range.end;
        Ok(())
    }
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.piece.len() && self.next < self.bytes {
            self.fetch()?;
        }
        let rest = &self.piece[self.taken..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.taken += count;
        Ok(count)
    }
}
