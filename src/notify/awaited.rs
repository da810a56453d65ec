//! About which incidents evidence is being read, and since when.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::sample::Timestamp;

/// Incidents whose evidence is awaited. Shared by reference; every call locks for itself.
#[derive(Debug, Default)]
pub struct Awaited(Mutex<BTreeMap<String, Timestamp>>);

impl Awaited {
    /// Evidence about an incident is asked for, before the incident is told to anybody.
    pub fn ask(&self, incident: &str, at: Timestamp) {
        self.locked().insert(incident.to_owned(), at);
    }

    /// No more evidence about it will come.
    pub fn done(&self, incident: &str) {
        self.locked().remove(incident);
    }

    pub(super) fn all(&self) -> BTreeMap<String, Timestamp> {
        self.locked().clone()
    }

    fn locked(&self) -> MutexGuard<'_, BTreeMap<String, Timestamp>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
