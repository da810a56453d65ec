//! What each source last read, and which source each series belongs to.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::Status;
use crate::sample::{Labels, Sample, Source, Timestamp};

/// Prometheus writes `up` about us by itself, so that ours is for the store alone.
const STORE_ONLY: &str = "up";

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) entries: BTreeMap<Source, Entry>,
    owners: HashMap<Identity, Source>,
    /// Of each watched server whether all its sources are declared; `None` before the watch begins.
    pub(super) planned: Option<HashMap<Arc<str>, bool>>,
    pub(super) generation: u64,
}

/// What makes a series one on the page: its name and its labels there.
type Identity = (Arc<str>, Labels);

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) status: Status,
    pub(super) lifetime: u32,
    pub(super) stored_at: Timestamp,
    pub(super) stored: Arc<[Sample]>,
    pub(super) page: Arc<[Sample]>,
}

/// What putting new samples in the place of old ones came to.
pub(super) struct Replaced {
    /// The last samples of the series that have ended.
    pub(super) gone: Vec<Sample>,
    /// How many of the new ones were left out.
    pub(super) refused: u64,
}

impl State {
    /// The entry of a source, which exists from now on.
    pub(super) fn declared(&mut self, source: &Source) -> &mut Entry {
        self.entries
            .entry(source.clone())
            .or_insert_with(|| Entry::unread(source.clone()))
    }

    /// The entries of one server, which stand side by side.
    pub(super) fn of_server(&self, server: &str) -> impl Iterator<Item = (&Source, &Entry)> {
        let first = Source::new(server, "", "");
        let server = Arc::clone(&first.server);
        let from = self.entries.range(first..);
        from.take_while(move |(source, _)| source.server == server)
    }

    /// Puts samples in the place of a source's last ones. Series that stand in the reading twice or belong to another
    /// source are left out. `None` when the source is not declared.
    pub(super) fn replace(
        &mut self,
        source: &Source,
        mut samples: Vec<Sample>,
    ) -> Option<(&mut Entry, Replaced)> {
        let entry = self.entries.get_mut(source)?;
        let read = samples.len();
        let mut admitted = HashSet::with_capacity(read);
        samples.retain(|sample| {
            let identity = identity(sample);
            let owner = self.owners.entry(identity.clone());
            owner.or_insert_with(|| source.clone()) == source && admitted.insert(identity)
        });
        let last = entry.stored.iter();
        let gone: Vec<Sample> = last
            .filter(|sample| !admitted.contains(&identity(sample)))
            .cloned()
            .collect();
        for sample in &gone {
            self.owners.remove(&identity(sample));
        }
        let refused = (read - samples.len()) as u64;
        self.generation += u64::from(entry.put(samples));
        Some((entry, Replaced { gone, refused }))
    }
}

impl Entry {
    fn unread(source: Source) -> Self {
        Entry {
            status: Status {
                source,
                interval: Duration::from_secs(15),
                took: Duration::ZERO,
                last_attempt: None,
                last_success: None,
                error: None,
                series: 0,
                dropped: 0,
            },
            lifetime: 3,
            stored_at: Timestamp::default(),
            stored: Arc::default(),
            page: Arc::default(),
        }
    }

    /// Takes new samples; says whether the page changes with them.
    fn put(&mut self, samples: Vec<Sample>) -> bool {
        let on_page = |sample: &&Sample| sample.family.name.as_ref() != STORE_ONLY;
        let page: Arc<[Sample]> = samples.iter().filter(on_page).cloned().collect();
        self.stored = samples.into();
        self.status.series = page.len();
        let changed = self.page != page;
        if changed {
            self.page = page;
        }
        changed
    }

    /// A reading that begins on time still takes its time, so that the lifetime ends a quarter of an interval later.
    pub(super) fn has_expired(&self, now: Timestamp) -> bool {
        let lifetime = self.status.interval * self.lifetime + self.status.interval / 4;
        self.status
            .last_success
            .is_none_or(|success| now.since(success) > lifetime)
    }
}

fn identity(sample: &Sample) -> Identity {
    (Arc::clone(&sample.family.name), sample.labels.clone())
}
