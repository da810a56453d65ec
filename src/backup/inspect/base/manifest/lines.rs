//! The manifest's own checksum, computed while a parser reads.

use std::io::{self, Read};

use crate::backup::inspect::halt::{Halt, corrupt, half_written};
use crate::backup::inspect::sum::{Algorithm, Sum};

/// Lines hold one file each.
const LONGEST_LINE: usize = 1 << 20;

/// A reader that sums all lines but the last, which holds the sum.
pub(super) struct Lines<R> {
    inner: R,
    sum: Sum,
    /// The last line that has ended, and what has come of the one after it.
    held: [Vec<u8>; 2],
    /// Why reading failed; the parser would wrap it in its own error.
    pub(super) failed: Option<Halt>,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(inner: R) -> Self {
        Lines {
            inner,
            sum: Sum::begin(Algorithm::Sha256),
            held: Default::default(),
            failed: None,
        }
    }

    fn take(&mut self, bytes: &[u8]) -> io::Result<()> {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.held[1].extend_from_slice(part);
            if self.held[1].len() > LONGEST_LINE {
                return Err(corrupt("has a `backup_manifest` with an endless line"));
            }
            if part.ends_with(b"\n") {
                self.sum.add(&self.held[0]);
                self.held.swap(0, 1);
                self.held[1].clear();
            }
        }
        Ok(())
    }

    pub(super) fn finish(mut self) -> io::Result<String> {
        io::copy(&mut self, &mut io::sink())?;
        if self.held[1].is_empty() {
            Ok(self.sum.hex())
        } else {
            Err(half_written(
                "has a `backup_manifest` that stops before the end of its last line",
            ))
        }
    }
}

impl<R: Read> Read for Lines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer);
        let taken = read.and_then(|count| self.take(&buffer[..count]).map(|()| count));
        if let Err(error) = &taken
            && error.kind() != io::ErrorKind::Interrupted
        {
            self.failed = Some(Halt::of(error));
        }
        taken
    }
}
