//! The log and its fold together, shared by reference; every call locks for itself.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};

use tokio::sync::watch;
use tracing::{error, info};

use super::log::Log;
use super::{Book, Event, OpenError};
use crate::rules::Alert;

/// The book of incidents, backed by a log on disk.
#[derive(Debug)]
pub struct Ledger {
    log: Option<Mutex<Log>>,
    book: RwLock<Book>,
    version: watch::Sender<u64>,
    healthy: AtomicBool,
}

impl Ledger {
    /// Opens the log in a state directory, which belongs to this process from now on, and replays it. The second part
    /// is warnings for a person. A directory that cannot be written to is a warning: incidents then live in memory.
    ///
    /// # Errors
    /// Another process has the directory, or the log is damaged before its last line.
    pub fn open(dir: &Path) -> Result<(Ledger, Vec<String>), OpenError> {
        let (mut log, events, warnings) = Log::open(dir)?;
        let mut book = Book::default();
        events.iter().for_each(|event| book.apply(event));
        let small = log.rewrite(&book.events());
        let path = log.path();
        let ledger = Ledger::over(Some(log), book);
        ledger.note(&path, &small);
        Ok((ledger, warnings))
    }

    /// A ledger without a log, for a single run and for tests.
    pub fn memory() -> Ledger {
        Ledger::over(None, Book::default())
    }

    /// Writes the events to the disk, then takes them into the book and wakes who waits for changes. Blocks for as
    /// long as the disk takes. When they cannot be written they count all the same, and [`Ledger::healthy`] turns
    /// false until the whole book has been written anew, here or by [`Ledger::retry`].
    pub fn record(&self, events: &[Event]) {
        if events.is_empty() {
            return;
        }
        let mut log = self
            .log
            .as_ref()
            .map(|log| log.lock().unwrap_or_else(PoisonError::into_inner));
        let written = log.as_mut().map(|log| log.append(events));
        {
            let mut book = self.book.write().unwrap_or_else(PoisonError::into_inner);
            events.iter().for_each(|event| book.apply(event));
        }
        if let (Some(log), Some(mut written)) = (log.as_mut(), written) {
            if written.is_err() || log.is_large() {
                written = log.rewrite(&self.read(Book::events));
            }
            self.note(&log.path(), &written);
        }
        self.version.send_modify(|version| *version += 1);
    }

    /// Writes the whole book anew when not everything in it is on the disk. Blocks for as long as the disk takes.
    pub fn retry(&self) {
        let Some(log) = self.log.as_ref().filter(|_| !self.healthy()) else {
            return;
        };
        let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
        let written = log.rewrite(&self.read(Book::events));
        self.note(&log.path(), &written);
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

    fn over(log: Option<Log>, book: Book) -> Ledger {
        Ledger {
            log: log.map(Mutex::new),
            book: RwLock::new(book),
            version: watch::Sender::new(0),
            healthy: AtomicBool::new(true),
        }
    }

    fn note(&self, path: &Path, written: &std::io::Result<()>) {
        let before = self.healthy.swap(written.is_ok(), Ordering::Relaxed);
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
