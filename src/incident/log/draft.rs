//! A smaller log, written beside the one in use while that one grows.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::lines::{encode, head};
use crate::incident::Event;

/// A log that is to take the place of another.
#[derive(Debug)]
pub(in crate::incident) struct Draft {
    /// Which of the logs of this process it is to replace.
    pub(super) generation: u64,
    /// How much of that log is in it already.
    pub(super) copied: u64,
    old: PathBuf,
    path: PathBuf,
}

/// A draft that is on the disk.
#[derive(Debug)]
pub(in crate::incident) struct Written {
    pub(super) draft: Draft,
    pub(super) file: File,
    pub(super) length: u64,
    /// Its length without what was appended to the old log meanwhile.
    pub(super) small: u64,
}

impl Draft {
    pub(super) fn of(dir: &Path, old: PathBuf, generation: u64, length: u64) -> Draft {
        Draft {
            generation,
            copied: length,
            old,
            path: dir.join("incidents.log.small"),
        }
    }

    /// Writes the events that stand for all that was in the log, and waits until they are on the disk.
    pub(in crate::incident) fn write(self, events: &[Event]) -> io::Result<Written> {
        let lines = head()? + &encode(events)?;
        let mut file = File::create(&self.path)?;
        file.write_all(lines.as_bytes())?;
        let length = lines.len() as u64;
        let mut written = Written {
            draft: self,
            file,
            length,
            small: length,
        };
        // The more is taken over now, the less is left for the moment when nobody may append.
        written.catch_up()?;
        Ok(written)
    }
}

impl Written {
    /// Takes over what was appended to the old log meanwhile, and waits until it is on the disk.
    pub(super) fn catch_up(&mut self) -> io::Result<()> {
        let mut old = File::open(&self.draft.old)?;
        old.seek(SeekFrom::Start(self.draft.copied))?;
        let mut tail = Vec::new();
        old.read_to_end(&mut tail)?;
        self.file.write_all(&tail)?;
        self.file.sync_all()?;
        self.draft.copied += tail.len() as u64;
        self.length += tail.len() as u64;
        Ok(())
    }

    /// Puts it in the place of the old one.
    pub(super) fn rename(&self) -> io::Result<()> {
        fs::rename(&self.draft.path, &self.draft.old)
    }
}
