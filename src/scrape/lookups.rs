//! What the lookups of one server know: the values that other collectors show, and what was read for each of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::job::Job;
use crate::collectors::{Lookup, Sampled};
use crate::sample::{Sample, Source};

/// The state of each lookup. Every call locks for itself.
#[derive(Debug, Default)]
pub(super) struct Lookups(Mutex<HashMap<Source, Known>>);

#[derive(Debug)]
struct Known {
    lookup: Lookup,
    /// What the other collector shows.
    shown: BTreeSet<Arc<str>>,
    /// What was read by value; a value that had no row is not asked for again.
    read: BTreeMap<Arc<str>, Vec<Sample>>,
}

impl Lookups {
    /// Makes the lookups among the jobs known, and forgets all others.
    pub(super) fn plan(&self, jobs: &[Arc<Job>]) {
        let mut known = self.locked();
        let mut before = std::mem::take(&mut *known);
        for job in jobs {
            if let Some(lookup) = &job.run.collector.lookup {
                let last = before.remove(&job.source);
                let last = last.filter(|last| last.lookup == *lookup);
                let unread = || Known {
                    lookup: lookup.clone(),
                    shown: BTreeSet::new(),
                    read: BTreeMap::new(),
                };
                known.insert(job.source.clone(), last.unwrap_or_else(unread));
            }
        }
    }

    /// Notes what a collector shows after a reading; what it shows no longer is forgotten.
    pub(super) fn note(&self, source: &Source, samples: &[Sample]) {
        for (asking, known) in self.locked().iter_mut() {
            if known.lookup.of == source.collector && asking.database == source.database {
                let values = samples
                    .iter()
                    .map(|sample| sample.labels.get(&known.lookup.label));
                known.shown = values
                    .filter(|value| !value.is_empty())
                    .map(Arc::from)
                    .collect();
                let Known { shown, read, .. } = known;
                read.retain(|value, _| shown.contains(value));
            }
        }
    }

    /// The values for which a lookup has to read; `None` when the source is no lookup.
    pub(super) fn unknown(&self, source: &Source) -> Option<Vec<Arc<str>>> {
        let lookups = self.locked();
        let known = lookups.get(source)?;
        let shown = known.shown.iter();
        let unknown = shown.filter(|value| !known.read.contains_key(*value));
        Some(unknown.cloned().collect())
    }

    /// Remembers what was read for the values that were asked for, and puts in its place all that is known.
    pub(super) fn keep(&self, source: &Source, asked: Vec<Arc<str>>, sampled: &mut Sampled) {
        let mut lookups = self.locked();
        let Some(Known { lookup, read, .. }) = lookups.get_mut(source) else {
            return;
        };
        read.extend(asked.into_iter().map(|value| (value, Vec::new())));
        for sample in std::mem::take(&mut sampled.samples) {
            match read.get_mut(sample.labels.get(&lookup.label)) {
                Some(of_value) => of_value.push(sample),
                None => sampled.dropped += 1,
            }
        }
        sampled.samples = read.values().flatten().cloned().collect();
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<Source, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
