//! The log and its fold together, shared by reference; every call locks for itself.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Instant;

use tokio::sync::watch;
use tracing::{error, info, warn};

use super::figures::Counters;
use super::log::{Draft, Log};
use super::{Book, Event, Figures, OpenError};
use crate::rules::Alert;

/// The book of incidents, backed by a log on disk.
#[derive(Debug)]
pub struct Ledger {
    dir: PathBuf,
    log: Option<Mutex<Log>>,
    book: RwLock<Book>,
    version: watch::Sender<u64>,
    healthy: AtomicBool,
    counters: Counters,
    /// Whether the log could not be made small when that was last tried; held while it is.
    tending: Mutex<bool>,
}

impl Ledger {
    /// Opens the log in a state directory, which belongs to this process from now on, and replays it. The second part
    /// is warnings for a person. A directory that cannot be written to is a warning: incidents then live in memory.
    ///
    /// # Errors
    /// Another process has the directory, the log is damaged before its last line, or a later version wrote it in a
    /// format that is not known here.
    pub fn open(dir: &Path) -> Result<(Ledger, Vec<String>), OpenError> {
        let (mut log, events, warnings) = Log::open(dir)?;
        let mut book = Book::default();
        events.iter().for_each(|event| book.apply(event));
        let small = log.rewrite(&book.events());
        let (path, length) = (log.path(), log.length());
        let ledger = Ledger::over(dir, Some(log), book);
        ledger.counters.holds(length);
        ledger.note(&path, &small);
        Ok((ledger, warnings))
    }

    /// A ledger without a log, for a single run and for tests.
    pub fn memory() -> Ledger {
        Ledger::over(Path::new(""), None, Book::default())
    }

    /// The state directory; empty for one without a log.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Writes the events to the disk, then takes them into the book and wakes who waits for changes. Blocks for as
    /// long as the disk takes. When they cannot be written they count all the same, and [`Ledger::healthy`] turns
    /// false until the whole book has been written anew, here or by [`Ledger::tend`].
    pub fn record(&self, events: &[Event]) {
        if events.is_empty() {
            return;
        }
        let mut log = self.log.as_ref().map(locked);
        let started = Instant::now();
        let written = log.as_mut().map(|log| log.append(events));
        {
            let mut book = self.book.write().unwrap_or_else(PoisonError::into_inner);
            events.iter().for_each(|event| book.apply(event));
        }
        if let (Some(log), Some(mut written)) = (log.as_mut(), written) {
            if written.is_err() {
                written = log.rewrite(&self.read(Book::events));
            }
            self.counters.appended(started.elapsed());
            self.counters.holds(log.length());
            self.note(&log.path(), &written);
        }
        self.version.send_modify(|version| *version += 1);
    }

    /// Does what the log needs from time to time: writes the whole book anew when not everything in it is on the disk,
    /// and makes a large log small, beside its use. Blocks for as long as the disk takes; whoever records meanwhile
    /// waits no longer than for an append.
    pub fn tend(&self) {
        let Some(log) = &self.log else { return };
        let mut failed = self.tending.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.healthy() {
            let mut log = locked(log);
            let written = log.rewrite(&self.read(Book::events));
            self.counters.holds(log.length());
            self.note(&log.path(), &written);
            return;
        }
        let draft = {
            let log = locked(log);
            // Nobody can record as long as the log is locked, so the book is what is in the log.
            log.draft()
                .map(|draft| (draft, self.read(Book::clone), log.path()))
        };
        let Some((draft, book, path)) = draft else {
            return;
        };
        match self.compact(log, draft, &book) {
            Ok(()) => *failed = false,
            Err(error) => {
                self.counters.failed();
                if !std::mem::replace(&mut failed, true) {
                    warn!(
                        "cannot make the incident log `{}` small: {error}; it goes on growing",
                        path.display()
                    );
                }
            }
        }
    }

    /// Looks into the book.
    pub fn read<T>(&self, look: impl FnOnce(&Book) -> T) -> T {
        look(&self.book.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes over the current values and annotations of alerts that have not changed state. Nothing is logged and
    /// nobody is woken.
    pub fn refresh(&self, alerts: Vec<Alert>) {
        let mut book = self.book.write().unwrap_or_else(PoisonError::into_inner);
        alerts.into_iter().for_each(|alert| book.refresh(alert));
    }

    /// Changes whenever events were recorded.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    /// Whether everything recorded is on the disk.
    pub fn healthy(&self) -> bool {
        self.healthy.load(Ordering::Relaxed)
    }

    /// How the log is doing; all zero without one.
    pub fn figures(&self) -> Figures {
        self.counters.read()
    }

    fn over(dir: &Path, log: Option<Log>, book: Book) -> Ledger {
        Ledger {
            dir: dir.to_owned(),
            log: log.map(Mutex::new),
            book: RwLock::new(book),
            version: watch::Sender::new(0),
            healthy: AtomicBool::new(true),
            counters: Counters::default(),
            tending: Mutex::new(false),
        }
    }

    fn compact(&self, log: &Mutex<Log>, draft: Draft, book: &Book) -> io::Result<()> {
        let written = draft.write(&book.events())?;
        let mut log = locked(log);
        if log.adopt(written)? {
            self.counters.compacted();
            self.counters.holds(log.length());
        }
        Ok(())
    }

    fn note(&self, path: &Path, written: &io::Result<()>) {
        let before = self.healthy.swap(written.is_ok(), Ordering::Relaxed);
        if written.is_err() {
            self.counters.failed();
        }
        match written {
            Err(error) if before => {
                error!(
                    "cannot write the incident log `{}`: {error}; free space or make it writable: until then a restart \
                     forgets what happened since, and tells it again",
                    path.display()
                );
            }
            Ok(()) if !before => info!("incident log `{}` is written again", path.display()),
            _ => {}
        }
    }
}

/// A panic elsewhere leaves no half-made log behind.
fn locked(log: &Mutex<Log>) -> MutexGuard<'_, Log> {
    log.lock().unwrap_or_else(PoisonError::into_inner)
}
