//! The whole store as one file, written and read piece by piece.
//!
//! ```text
//! "PGVSNAP\n", version
//! section*       kind, length, payload, CRC-32 of these three
//!
//! H  when it was taken, since when the store covered everything, and the time of its oldest sample
//! S  series, as many sections as it takes: new texts, new sets of sources, heads of series, heads of chunks, their bytes
//! L  when each source was last read in full
//! E  how many series there were; nothing follows
//! ```
//!
//! Texts and sets of sources are told once and named by their numbers afterwards. What is read is believed only when
//! all of it is whole: a section by its checksum, the file by its last section.

mod contents;
mod parts;
mod read;
mod section;
mod told;
mod write;

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;
use std::time::Duration;

use super::{Settings, Store};
use crate::sample::Timestamp;
use contents::Bounds;
use read::{Header, read, read_header};

const MAGIC: [u8; 8] = *b"PGVSNAP\n";

/// What is read; rises with every change to the format, that of chunks included.
const VERSION: u32 = 1;

/// A series whose labels have more bytes than this is not written: a few of them, named again and again by a file that
/// somebody has made up, would keep a start busy for hours.
pub(super) const LONGEST_LABELS: usize = 64 << 10;

/// Why a snapshot is of no use.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The system does not hand it out.
    #[error("cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    /// It begins otherwise.
    #[error("is no snapshot")]
    Foreign,
    /// Of a format that is not known here.
    #[error("was written by another version of pgvigil, in format {0}")]
    Version(u32),
    /// It is not as it was written.
    #[error("is damaged: {0}")]
    Damaged(&'static str),
}

impl Store {
    /// Writes all that it holds. Its lock is held for a few series at a time, so that series may be a little newer than
    /// others.
    ///
    /// # Errors
    /// What `to` says.
    pub fn write_snapshot(&self, to: &mut impl Write, now: Timestamp) -> io::Result<()> {
        write::write(self, to, now)
    }

    /// A store of what a snapshot holds within the settings' bounds, which covers from `start` on, and when it was
    /// taken. What lies ahead of `now`, because the clock was set back, is left out: it would keep new samples away.
    ///
    /// Memory and time are bounded by the length of what is read, whatever that is.
    ///
    /// # Errors
    /// Anything in it is not as it was written.
    pub fn read_snapshot(
        from: impl Read,
        settings: &Settings,
        start: Timestamp,
        now: Timestamp,
    ) -> Result<(Store, Timestamp), SnapshotError> {
        let store = Store::new(settings, start);
        let taken = store.restore(from, now)?;
        Ok((store, taken))
    }

    /// All that a snapshot file holds, for looking at it, and when it was taken. The store covers what it did then.
    ///
    /// # Errors
    /// The file cannot be read, or anything in it is not as it was written.
    pub fn open_snapshot(path: &Path) -> Result<(Store, Timestamp), SnapshotError> {
        let Header { covers_since, .. } = read_header(File::open(path)?)?;
        let endless = Settings {
            retention: Duration::MAX,
            max_bytes: u64::MAX,
        };
        let from = BufReader::new(File::open(path)?);
        Store::read_snapshot(from, &endless, covers_since, Timestamp(i64::MAX))
    }

    /// Takes over what a snapshot holds, as [`Store::read_snapshot`] does, in place of all that it holds itself. Returns
    /// when the snapshot was taken.
    ///
    /// # Errors
    /// Anything in it is not as it was written; then nothing changes.
    pub(super) fn restore(
        &self,
        from: impl Read,
        now: Timestamp,
    ) -> Result<Timestamp, SnapshotError> {
        let bounds = {
            let held = self.read();
            Bounds {
                start: held.shelf.covers_since().min(now),
                horizon: now.before(held.retention),
                now,
                max_bytes: held.max_bytes,
                serials: held.shelf.size().created,
            }
        };
        let restored = read(from, &bounds)?;
        let held = &mut *self.write();
        // Who follows goes on following.
        let tap = std::mem::take(&mut held.shelf.tap);
        held.shelf = restored.shelf;
        held.shelf.tap = tap;
        held.successes = restored.successes;
        Ok(restored.taken)
    }
}

/// When a snapshot was taken.
pub(super) fn taken(from: impl Read) -> Result<Timestamp, SnapshotError> {
    read_header(from).map(|header| header.taken)
}

#[cfg(test)]
mod tests;
