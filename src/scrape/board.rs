//! The one door through which samples enter: what each source last read, how fresh it is, and the freshness rule.

use std::sync::Arc;
use std::time::Duration;

use crate::sample::{Sample, Source, Timestamp};
use crate::store::Store;

/// How one source is doing.
#[derive(Debug, Clone, PartialEq)]
pub struct Status {
    /// The source.
    pub source: Source,
    /// How often it is read.
    pub interval: Duration,
    /// How long the last reading took, without waiting for a connection.
    pub took: Duration,
    /// When it was last tried.
    pub last_attempt: Option<Timestamp>,
    /// When it was last read in full.
    pub last_success: Option<Timestamp>,
    /// Why the last try failed; `None` when it did not.
    pub error: Option<String>,
    /// Series on the page.
    pub series: usize,
    /// Series left out by the cap, as unreadable or as duplicates, at the last reading.
    pub dropped: u64,
}

/// What every source last read. Shared by reference; every call locks for itself.
#[derive(Debug)]
pub struct Board {
    _store: Arc<Store>,
}

impl Board {
    /// An empty board that writes into `store`. With `several_servers` every series has a `server` label.
    pub fn new(_store: Arc<Store>, _several_servers: bool) -> Self {
        todo!()
    }

    /// Makes a source known before its first reading. Its samples live for `lifetime` intervals after the last success.
    pub fn declare(&self, _source: &Source, _interval: Duration, _lifetime: u32) {
        todo!()
    }

    /// Takes a full reading: replaces the source's samples, writes them to the store with `job`, `instance` (and
    /// `server`), and a staleness marker for each series that is gone.
    pub fn publish(
        &self,
        _source: &Source,
        _at: Timestamp,
        _took: Duration,
        _samples: Vec<Sample>,
        _dropped: u64,
    ) {
        todo!()
    }

    /// Notes a failed reading; the last samples stay until they expire.
    pub fn fail(&self, _source: &Source, _at: Timestamp, _took: Duration, _error: String) {
        todo!()
    }

    /// Takes a source and its series away, with staleness markers (a database was dropped, a collector no longer runs).
    pub fn retire(&self, _source: &Source, _at: Timestamp) {
        todo!()
    }

    /// Whether a source will never be read again: its server is not watched, or the server's plan is known and has no
    /// such source.
    pub fn retired(&self, _source: &Source) -> bool {
        todo!()
    }

    /// Lets samples whose lifetime has passed become absent.
    pub fn expire(&self, _now: Timestamp) {
        todo!()
    }

    /// Rises whenever a sample on the page changes.
    pub fn generation(&self) -> u64 {
        todo!()
    }

    /// All current samples by source, `server` label included where several servers are watched.
    pub fn current(&self) -> Vec<(Source, Arc<[Sample]>)> {
        todo!()
    }

    /// How every source is doing, sorted by source.
    pub fn statuses(&self) -> Vec<Status> {
        todo!()
    }
}
