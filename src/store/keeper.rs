//! The snapshot in the state directory: taken over at the start, written anew while the watch runs, set aside when it is
//! of no use.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::{SnapshotError, Store, snapshot};
use crate::sample::Timestamp;

/// How many damaged snapshots are kept for a look.
const DAMAGED: usize = 3;

/// What the name of a damaged one begins with; the moment follows.
const ASIDE: &str = "snapshot.damaged-";

/// Keeps the history of a store in a directory that belongs to this process.
#[derive(Debug)]
pub struct Keeper {
    dir: PathBuf,
    store: Arc<Store>,
    kept: Mutex<Kept>,
}

/// How the snapshot is doing.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Kept {
    /// When the one on the disk was taken; `None` where there is none.
    pub taken: Option<Timestamp>,
    /// Its bytes.
    pub bytes: u64,
    /// How long the last one took to write, where this process has written one.
    pub took: Option<Duration>,
    /// How often one could not be written.
    pub failures: u64,
    failing: bool,
}

impl Keeper {
    /// For a directory, which need not be there yet.
    pub fn new(dir: &Path, store: Arc<Store>) -> Self {
        Keeper {
            dir: dir.to_owned(),
            store,
            kept: Mutex::default(),
        }
    }

    /// Fills the store, if it is empty, from the snapshot, if there is one. One that is of no use is set aside.
    pub fn restore(&self, now: Timestamp) {
        match self.read(now) {
            Ok(kept) => *self.locked() = kept,
            Err(SnapshotError::Unreadable(error)) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => self.set_aside(&error, now),
        }
    }

    /// Writes the snapshot: aside, then in place of the one before, so that a crash leaves one of them whole. Blocks for
    /// as long as the disk takes. What goes wrong is said when it begins, and when it has ended.
    pub fn save(&self, now: Timestamp) {
        let started = Instant::now();
        let mut kept = self.locked();
        match self.write(now) {
            Ok(bytes) => {
                if std::mem::take(&mut kept.failing) {
                    tracing::info!("the snapshot `{}` is written again", self.path().display());
                }
                kept.taken = Some(now);
                kept.bytes = bytes;
                kept.took = Some(started.elapsed());
            }
            Err(error) => {
                kept.failures += 1;
                if !std::mem::replace(&mut kept.failing, true) {
                    let since = kept
                        .taken
                        .map(|taken| format!(" after {}", taken.rfc3339()));
                    tracing::error!(
                        "cannot write the snapshot `{}`: {error}; free space or make it writable: until then a restart \
                         loses the history{}",
                        self.path().display(),
                        since.unwrap_or_default()
                    );
                }
            }
        }
    }

    /// How it is doing.
    pub fn kept(&self) -> Kept {
        *self.locked()
    }

    /// The names of the snapshots that were of no use and are kept for a look, oldest first.
    pub fn damaged(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.dir).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        let mut all: Vec<String> = names.filter(|name| name.starts_with(ASIDE)).collect();
        all.sort_unstable();
        all
    }

    fn read(&self, now: Timestamp) -> Result<Kept, SnapshotError> {
        let started = Instant::now();
        let file = File::open(self.path())?;
        let bytes = file.metadata()?.len();
        let from = BufReader::new(file);
        let taken = if self.store.size().created > 0 {
            // After a reload: the store knows more than its snapshot.
            snapshot::taken(from)?
        } else {
            let taken = self.store.restore(from, now)?;
            let size = self.store.size();
            tracing::info!(
                series = size.series,
                samples = size.samples,
                duration_ms = started.elapsed().as_millis() as u64,
                "history up to {} taken over from `{}`",
                taken.rfc3339(),
                self.path().display()
            );
            taken
        };
        Ok(Kept {
            taken: Some(taken),
            bytes,
            ..Kept::default()
        })
    }

    fn write(&self, now: Timestamp) -> io::Result<u64> {
        fs::create_dir_all(&self.dir)?;
        let aside = self.dir.join("snapshot.new");
        let written = self.write_aside(&aside, now);
        if written.is_err() {
            // What there is of it would only take room where there is none.
            let _ = fs::remove_file(&aside);
        }
        let bytes = written?;
        fs::rename(&aside, self.path())?;
        File::open(&self.dir)?.sync_all()?;
        Ok(bytes)
    }

    fn write_aside(&self, aside: &Path, now: Timestamp) -> io::Result<u64> {
        let mut to = BufWriter::new(File::create(aside)?);
        self.store.write_snapshot(&mut to, now)?;
        let file = to.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        Ok(file.metadata()?.len())
    }

    fn set_aside(&self, error: &SnapshotError, now: Timestamp) {
        let path = self.path();
        let aside = self.dir.join(format!("{ASIDE}{}", now.rfc3339()));
        let moved = match fs::rename(&path, &aside) {
            Ok(()) => format!("it was moved to `{}`", aside.display()),
            Err(error) => format!("it cannot be moved away: {error}"),
        };
        tracing::warn!(
            "the snapshot `{}` {error}; {moved}, and the history begins anew",
            path.display()
        );
        self.drop_oldest_damaged();
    }

    /// Their names are in the order of their times.
    fn drop_oldest_damaged(&self) {
        for old in self.damaged().iter().rev().skip(DAMAGED) {
            // What cannot be removed now is met again next time.
            let _ = fs::remove_file(self.dir.join(old));
        }
    }

    fn path(&self) -> PathBuf {
        self.dir.join("snapshot")
    }

    fn locked(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
