//! How the incident log is doing, in numbers that are read without waiting for the disk.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How the incident log is doing. Counts are since this process opened it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Figures {
    /// Size of the file.
    pub bytes: u64,
    /// How often events were added to it.
    pub appends: u64,
    /// How long that took in all, the wait for the disk included.
    pub appending: Duration,
    /// How often it was made small in the background.
    pub compactions: u64,
    /// How often it could not be written, or not be made small.
    pub failures: u64,
}

/// The same, while they change.
#[derive(Debug, Default)]
pub(super) struct Counters {
    bytes: AtomicU64,
    appends: AtomicU64,
    appending_micros: AtomicU64,
    compactions: AtomicU64,
    failures: AtomicU64,
}

impl Counters {
    pub(super) fn appended(&self, took: Duration) {
        self.appends.fetch_add(1, Ordering::Relaxed);
        let micros = took.as_micros() as u64;
        self.appending_micros.fetch_add(micros, Ordering::Relaxed);
    }

    pub(super) fn holds(&self, bytes: u64) {
        self.bytes.store(bytes, Ordering::Relaxed);
    }

    pub(super) fn compacted(&self) {
        self.compactions.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn failed(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> Figures {
        let value = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Figures {
            bytes: value(&self.bytes),
            appends: value(&self.appends),
            appending: Duration::from_micros(value(&self.appending_micros)),
            compactions: value(&self.compactions),
            failures: value(&self.failures),
        }
    }
}
