//! The file: one line per event, a checksum and JSON. What is half-written at its end is cut; what is damaged before
//! that is refused. One process per directory.

mod draft;
mod error;
mod lines;
mod lock;

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

pub(super) use self::draft::{Draft, Written};
pub use self::error::OpenError;
use self::lines::{Fault, Lines};
use super::Event;

/// Above this size, and eight times the size it was last made small to, the log is made small again.
const LARGE: u64 = 4 << 20;

/// The open log of one state directory.
#[derive(Debug)]
pub(super) struct Log {
    dir: PathBuf,
    lock: Option<File>,
    file: Option<File>,
    length: u64,
    small: u64,
    /// Rises whenever another file takes the place of the log.
    generation: u64,
}

impl Log {
    /// Takes the directory for this process and reads what is in the log, with a warning for each oddity.
    pub(super) fn open(dir: &Path) -> Result<(Log, Vec<Event>, Vec<String>), OpenError> {
        let mut log = Log {
            dir: dir.to_owned(),
            lock: None,
            file: None,
            length: 0,
            small: 0,
            generation: 0,
        };
        let mut warnings = Vec::new();
        if let Err(error) = log.take() {
            if error.kind() == io::ErrorKind::WouldBlock {
                return Err(OpenError::InUse {
                    dir: dir.to_owned(),
                    owner: lock::owner(dir),
                });
            }
            warnings.push(format!(
                "cannot write to the state directory `{}`: {error}; incidents are kept in memory only",
                dir.display()
            ));
        }
        let read = log.read()?;
        warnings.extend(log.oddities(&read));
        Ok((log, read.events, warnings))
    }

    /// Adds the events and waits until they are on the disk.
    pub(super) fn append(&mut self, events: &[Event]) -> io::Result<()> {
        let lines = lines::encode(events)?;
        let Some(file) = &mut self.file else {
            return Err(io::Error::other("the log is not open"));
        };
        let written = file
            .write_all(lines.as_bytes())
            .and_then(|()| file.sync_data());
        if written.is_err() {
            // Half a line may be on the disk; the whole file is written anew before the next append.
            self.file = None;
        } else {
            self.length += lines.len() as u64;
        }
        written
    }

    /// Its size in bytes.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Replaces the whole log: written aside, then renamed, so that a crash leaves the old or the new one.
    pub(super) fn rewrite(&mut self, events: &[Event]) -> io::Result<()> {
        self.take()?;
        let lines = lines::head()? + &lines::encode(events)?;
        let aside = self.dir.join("incidents.log.new");
        let mut file = File::create(&aside)?;
        file.write_all(lines.as_bytes())?;
        file.sync_all()?;
        fs::rename(&aside, self.path())?;
        self.replaced(file, lines.len() as u64, lines.len() as u64);
        File::open(&self.dir)?.sync_all()
    }

    /// A smaller log to be written beside this one, when it has grown enough. The events that stand for what is in it
    /// now are to be taken before anything is appended.
    pub(super) fn draft(&self) -> Option<Draft> {
        let large = self.length > LARGE.max(8 * self.small);
        (large && self.file.is_some())
            .then(|| Draft::of(&self.dir, self.path(), self.generation, self.length))
    }

    /// Puts a smaller log in the place of this one, with what was appended meanwhile. Whether it did: a log that was
    /// replaced or could not be written in the meantime stays.
    pub(super) fn adopt(&mut self, mut written: Written) -> io::Result<bool> {
        if self.file.is_none() || written.draft.generation != self.generation {
            return Ok(false);
        }
        written.catch_up()?;
        written.rename()?;
        self.replaced(written.file, written.length, written.small);
        // Before this is done nothing may be appended: were the old name lost, so would be what was appended.
        File::open(&self.dir)?.sync_all()?;
        Ok(true)
    }

    /// The file.
    pub(super) fn path(&self) -> PathBuf {
        self.dir.join("incidents.log")
    }

    fn replaced(&mut self, file: File, length: u64, small: u64) {
        self.file = Some(file);
        self.length = length;
        self.small = small;
        self.generation += 1;
    }

    fn take(&mut self) -> io::Result<()> {
        if self.lock.is_none() {
            self.lock = Some(lock::take(&self.dir)?);
        }
        Ok(())
    }

    fn read(&self) -> Result<Lines, OpenError> {
        let path = self.path();
        let mut bytes = Vec::new();
        match File::open(&path).and_then(|mut file| file.read_to_end(&mut bytes)) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(cause) => return Err(OpenError::Unreadable { path, cause }),
        }
        lines::decode(&bytes).map_err(|fault| match fault {
            Fault::Damaged(line, cause) => OpenError::Damaged { path, line, cause },
            Fault::Newer(version) => OpenError::Newer { path, version },
        })
    }

    /// What is worth a warning in what was read. It is about to be written anew, so what is not understood is put away.
    fn oddities(&self, read: &Lines) -> Vec<String> {
        let (path, mut warnings) = (self.path(), Vec::new());
        if read.torn > 0 {
            warnings.push(format!(
                "`{}` ended in {} bytes of a half-written line, which were cut off; the event in it is lost. If the \
                 disk was full then, it may have been acted on, and a message may come twice",
                path.display(),
                read.torn
            ));
        }
        if read.foreign > 0 {
            let copy = self.dir.join("incidents.log.newer");
            let kept = match fs::copy(&path, &copy) {
                Ok(_) => format!("all of it is kept in `{}`", copy.display()),
                Err(error) => format!("they cannot be kept: {error}"),
            };
            warnings.push(format!(
                "a later version of pgvigil wrote `{}`: {} events of kinds that this version does not know are passed \
                 over; {kept}",
                path.display(),
                read.foreign
            ));
        }
        warnings
    }
}
