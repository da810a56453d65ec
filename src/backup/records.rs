//! What is known now of every source, for those who ask: pages, the checklist, drills.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::{Chain, Obstacle, Settings, Sighting};
use crate::sample::Timestamp;

/// What is known of one source.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Facts {
    /// When it was last looked at with success.
    pub looked: Option<Timestamp>,
    /// How long the last look took.
    pub took: Duration,
    /// Why the last look failed.
    pub obstacle: Option<Obstacle>,
    /// What the last successful look showed; its WAL archive is in `chain`.
    pub sighting: Option<Sighting>,
    /// The WAL archive in a few numbers, where the source shows one.
    pub chain: Option<Chain>,
}

/// A source, and what is known of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// What was declared.
    pub settings: Settings,
    /// What was seen.
    pub facts: Facts,
}

/// The newest record of each source.
#[derive(Debug, Default)]
pub struct Records {
    records: Mutex<BTreeMap<String, Arc<Record>>>,
}

impl Records {
    /// Replaces what was known of a source.
    pub(super) fn put(&self, record: Record) {
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        records.insert(record.settings.name.clone(), Arc::new(record));
    }

    /// All of them, by name.
    pub fn all(&self) -> Vec<Arc<Record>> {
        let records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        records.values().cloned().collect()
    }
}
