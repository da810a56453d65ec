//! What is known now of every source, for those who ask: pages, the checklist, drills.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::{Base, Chain, Log, Obstacle, Settings, Sighting};
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
    /// What of the original is not here, by name, where this source is the copy of another that was looked at too.
    pub uncopied: Option<Vec<String>>,
    /// What went although it was promised to be kept, by name.
    pub vanished: Vec<String>,
    /// When a usable backup was seen here for the first time.
    pub watched_since: Option<Timestamp>,
    /// Whether the newest usable backup is of something else than it should be, as far as that can be told.
    pub foreign: Option<bool>,
    /// The median size of those of its kind before the newest usable one that needs no other, in bytes; nothing of too
    /// few.
    pub usual_size: Option<f64>,
    /// The log of the job that takes the backups, where one is named.
    pub log: Option<Log>,
    /// The WAL archive in a few numbers, where the source shows one.
    pub chain: Option<Chain>,
    /// Its good base backups; those of other sources of the server where it has none.
    pub bases: Vec<Base>,
}

impl Facts {
    /// Stored size of all backups and all WAL together, in bytes.
    pub fn stored(&self) -> u64 {
        let backups = self.sighting.iter().flat_map(|sighting| &sighting.backups);
        let sizes = backups.map(|backup| backup.bytes);
        let wal = self.chain.iter().map(|chain| chain.stored_bytes);
        sizes.chain(wal).fold(0, u64::saturating_add)
    }
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
    pub fn put(&self, record: Record) {
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        records.insert(record.settings.name.clone(), Arc::new(record));
    }

    /// That of one source.
    pub fn of(&self, source: &str) -> Option<Arc<Record>> {
        let records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        records.get(source).cloned()
    }

    /// All of them, by name.
    pub fn all(&self) -> Vec<Arc<Record>> {
        let records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        records.values().cloned().collect()
    }
}
