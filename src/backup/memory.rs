//! What a source has shown over time, remembered over restarts: which backups it had, and how much it stored each day.
//! Takes sightings; hands a [`Past`] to the judge.

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Kind, Sighting, State, saved};
use crate::sample::Timestamp;

/// Of so many backups of a kind the size is remembered, however old they are.
const SIZES: usize = 8;
/// More backups are not remembered; the oldest are forgotten first.
const MOST_BACKUPS: usize = 20_000;
/// How many days of storage are remembered.
pub(super) const DAYS: i64 = 35;
const DAY: i64 = 24 * 3_600_000;

/// What is remembered of a source.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Past {
    /// When a usable backup was seen here for the first time.
    pub(super) since: Option<Timestamp>,
    /// Bytes stored at the end of each day, by its number since 1970.
    pub(super) days: BTreeMap<i64, u64>,
    /// The backups that were found good, by their names.
    pub(super) backups: BTreeMap<String, Known>,
}

/// A backup that was good when it was read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Known {
    pub(super) kind: Kind,
    pub(super) moment: Timestamp,
    pub(super) bytes: u64,
    /// Since when it is gone.
    pub(super) missed: Option<Timestamp>,
}

impl Past {
    /// Takes in what a look showed. Backups that are gone are remembered while they are younger than `keep`, and the
    /// newest of each kind for longer.
    pub(super) fn learn(
        &mut self,
        sighting: &Sighting,
        stored: u64,
        keep: Option<Duration>,
        now: Timestamp,
    ) {
        let good = sighting
            .backups
            .iter()
            .filter(|backup| backup.state == State::Done);
        for backup in good {
            self.since.get_or_insert(now);
            let known = Known {
                kind: backup.kind,
                moment: backup.moment(),
                bytes: backup.bytes,
                missed: None,
            };
            self.backups.insert(backup.id.clone(), known);
        }
        self.miss(sighting, now);
        self.forget(keep, now);
        let today = now.0.div_euclid(DAY);
        if self.since.is_some() {
            self.days.insert(today, stored);
        }
        self.days
            .retain(|day, _| (today - DAYS..=today).contains(day));
    }

    fn miss(&mut self, sighting: &Sighting, now: Timestamp) {
        let listed: HashSet<&str> = sighting
            .backups
            .iter()
            .map(|backup| backup.id.as_str())
            .collect();
        // What was only renamed is the same backup under another name.
        let renamed: HashSet<(Timestamp, u64)> = sighting
            .backups
            .iter()
            .map(|backup| (backup.moment(), backup.bytes))
            .collect();
        self.backups.retain(|name, known| {
            let is_listed = listed.contains(name.as_str());
            known.missed = match known.missed {
                _ if is_listed => None,
                missed => missed.or(Some(now)),
            };
            is_listed || !renamed.contains(&(known.moment, known.bytes))
        });
    }

    fn forget(&mut self, keep: Option<Duration>, now: Timestamp) {
        let promised = now.before(keep.unwrap_or_default());
        let mut newest: Vec<(Timestamp, Kind, String)> = self
            .backups
            .iter()
            .map(|(name, known)| (known.moment, known.kind, name.clone()))
            .collect();
        newest.sort_by(|one, other| other.cmp(one));
        let mut counts = BTreeMap::<Kind, usize>::new();
        for (place, (moment, kind, name)) in newest.into_iter().enumerate() {
            let count = counts.entry(kind).or_default();
            *count += 1;
            let is_listed = self.backups[&name].missed.is_none();
            let is_of_use = is_listed || moment > promised || *count <= SIZES;
            if place >= MOST_BACKUPS || !is_of_use {
                self.backups.remove(&name);
            }
        }
    }
}

/// The file in which the past of one source is kept.
#[derive(Debug)]
pub(super) struct Memory {
    path: PathBuf,
    past: Past,
    saved: Past,
}

#[derive(Serialize, Deserialize)]
struct Saved<P> {
    version: u32,
    past: P,
}

const VERSION: u32 = 1;

impl Memory {
    /// What an earlier run has kept; nothing when there is nothing or it cannot be understood.
    pub(super) fn load(state_dir: &Path, source: &str) -> Self {
        let path = state_dir.join(format!("backup_past-{source}.json"));
        let past = saved::read::<Saved<Past>>(&path)
            .filter(|saved| saved.version == VERSION)
            .map(|saved| saved.past)
            .unwrap_or_default();
        Memory {
            path,
            saved: past.clone(),
            past,
        }
    }

    pub(super) fn past(&self) -> &Past {
        &self.past
    }

    /// Takes in what a look showed, and keeps it when that is news.
    ///
    /// # Errors
    /// When the state directory cannot be written.
    pub(super) fn learn(
        &mut self,
        sighting: &Sighting,
        stored: u64,
        keep: Option<Duration>,
        now: Timestamp,
    ) -> io::Result<()> {
        self.past.learn(sighting, stored, keep, now);
        if self.past == self.saved {
            return Ok(());
        }
        // What cannot be written is tried again with the next news, not with every look.
        self.saved = self.past.clone();
        let saved = Saved {
            version: VERSION,
            past: &self.past,
        };
        saved::write(&self.path, &saved)
    }
}

#[cfg(test)]
mod tests;
