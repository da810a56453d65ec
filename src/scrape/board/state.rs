//! What each source last read, and which source each series belongs to.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::Status;
use super::series::{Identity, Replaced, Series};
use crate::sample::{Sample, Source, Sources, Timestamp};

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) entries: BTreeMap<Source, Entry>,
    /// Of all series on the page.
    taken: HashSet<Identity>,
    /// Of each watched server whether all its sources are declared; `None` before the watch begins.
    pub(super) planned: Option<HashMap<Arc<str>, bool>>,
    pub(super) generation: u64,
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) status: Status,
    pub(super) lifetime: u32,
    pub(super) stored_at: Timestamp,
    /// The source, as the store wants it.
    pub(super) sources: Sources,
    pub(super) series: Series,
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

    /// Puts samples, with their identities, in the place of a source's last ones. Series that stand in the reading twice
    /// or belong to another source are left out. `None` when the source is not declared.
    pub(super) fn replace(
        &mut self,
        source: &Source,
        samples: Vec<Sample>,
        identities: &[Identity],
    ) -> Option<(&mut Entry, Replaced)> {
        let entry = self.entries.get_mut(source)?;
        let replaced = entry.series.replace(samples, identities, &mut self.taken);
        entry.status.series = entry.series.page.len();
        self.generation += u64::from(replaced.changed);
        Some((entry, replaced))
    }
}

impl Entry {
    fn unread(source: Source) -> Self {
        Entry {
            sources: Sources::one(source.clone()),
            status: Status {
                source,
                interval: Duration::from_secs(15),
                took: Duration::ZERO,
                last_attempt: None,
                last_success: None,
                error: None,
                denied: false,
                series: 0,
                dropped: 0,
            },
            lifetime: 3,
            stored_at: Timestamp::default(),
            series: Series::default(),
        }
    }

    /// A reading that begins on time still takes its time, so that the lifetime ends a quarter of an interval later.
    pub(super) fn has_expired(&self, now: Timestamp) -> bool {
        let lifetime = self.status.interval * self.lifetime + self.status.interval / 4;
        self.status
            .last_success
            .is_none_or(|success| now.since(success) > lifetime)
    }
}
