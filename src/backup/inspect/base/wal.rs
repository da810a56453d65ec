//! The WAL inside a base backup, without which it cannot become consistent.

use std::io;

use super::Verdict;
use super::manifest::Range;
use crate::backup::Trouble;
use crate::backup::inspect::halt::Halt;
use crate::backup::wal::{Held, Segment, Wal, WalFile, WalName, segment_bytes};
use crate::sample::Timestamp;

/// What lies in `pg_wal`.
#[derive(Default)]
pub(super) struct Inside {
    files: Vec<WalFile>,
}

impl Inside {
    /// Takes a file by its path below `pg_wal`.
    pub(super) fn take(&mut self, path: &str, bytes: u64) {
        if let Some((name @ WalName::Segment(_), is_packed)) = WalName::parse(path) {
            self.files.push(WalFile {
                name,
                bytes,
                modified: Timestamp(0),
                is_packed,
            });
        }
    }

    /// Holds it against what is needed. A backup without any WAL has it in an archive.
    pub(super) fn judge(self, needed: &[Range], verdict: &mut Verdict) -> io::Result<()> {
        let bytes = segment_bytes(None, &self.files);
        verdict.has_wal = !self.files.is_empty();
        let wal = Wal {
            files: self.files,
            ..Wal::default()
        };
        let held = Held::of(&wal, bytes);
        let lacked = needed.iter().find_map(|range| {
            let first = Segment::at(range.timeline, range.start, bytes);
            let last = Segment::at(range.timeline, range.end.saturating_sub(1), bytes);
            held.lacks(first, last)
        });
        match lacked {
            Some(segment) if verdict.has_wal => {
                let name = segment.name(bytes);
                let words = format!(
                    "lacks the WAL segment `{name}`, without which it cannot become consistent"
                );
                Err(Halt::Trouble(Trouble::WalMissing, words).into())
            }
            _ => Ok(()),
        }
    }
}
