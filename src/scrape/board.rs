//! The one door through which samples enter: what each source last read, how fresh it is, and the freshness rule.

mod series;
mod state;
mod status;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::sample::{Labels, NAME, STALE, Sample, Source, Sources, Timestamp};
use crate::store::{Place, Store};

use series::{Identities, Replaced};
use state::{Entry, State};
pub use status::{Status, reason};

/// What `job` says in the store.
const JOB: &str = "pgvigil";

/// PromQL looks back five minutes; what is read more seldom is written to the store again this often while it is on
/// the page, as a scraper of the page would.
const REPEAT: Duration = Duration::from_secs(60);

/// What every source last read. Shared by reference; every call locks for itself.
#[derive(Debug)]
pub struct Board {
    store: Arc<Store>,
    several_servers: bool,
    identities: Identities,
    state: Mutex<State>,
}

impl Board {
    /// An empty board that writes into `store`. With `several_servers` every series has a `server` label on the page; in
    /// the store it always has one, so that an alert stays the same when a second server comes.
    pub fn new(store: Arc<Store>, several_servers: bool) -> Self {
        Board {
            store,
            several_servers,
            identities: Identities::default(),
            state: Mutex::default(),
        }
    }

    /// Whether every series on the page has a `server` label.
    pub fn names_servers(&self) -> bool {
        self.several_servers
    }

    /// Makes a source known before its first reading. Its samples live for `lifetime` intervals after the last success.
    pub fn declare(&self, source: &Source, interval: Duration, lifetime: u32) {
        let mut state = self.locked();
        let entry = state.declared(source);
        entry.status.interval = interval;
        entry.lifetime = lifetime;
    }

    /// Changes how often a source is read, and with it how long its samples live. One that is not declared stays so.
    pub(super) fn pace(&self, source: &Source, interval: Duration) {
        if let Some(entry) = self.locked().entries.get_mut(source) {
            entry.status.interval = interval;
        }
    }

    /// Takes a full reading: replaces the source's samples, writes them to the store with `job`, `instance` and, where
    /// the source has one, `server`, and a staleness marker for each series that is gone. A source that is not declared
    /// is not taken.
    pub fn publish(
        &self,
        source: &Source,
        at: Timestamp,
        took: Duration,
        samples: Vec<Sample>,
        dropped: u64,
    ) {
        let samples = self.labelled(source, samples);
        let identities = self.identities.of(&samples);
        let mut state = self.locked();
        // A reading may have been under way when its source was retired.
        let Some((entry, replaced)) = state.replace(source, samples, &identities) else {
            return;
        };
        entry.status = Status {
            took,
            last_attempt: Some(at),
            last_success: Some(at),
            error: None,
            denied: false,
            dropped: dropped + replaced.refused,
            ..entry.status.clone()
        };
        self.store_end(entry, at, replaced);
        self.store_current(entry, at);
        self.store.succeeded(source, at);
    }

    /// Notes a failed reading; the last samples stay until they expire.
    pub fn fail(&self, source: &Source, at: Timestamp, took: Duration, error: String) {
        self.note_failure(source, at, took, error, false);
    }

    /// Notes a reading that was refused for want of a right; the last samples stay until they expire.
    pub(super) fn deny(&self, source: &Source, at: Timestamp, took: Duration, error: String) {
        self.note_failure(source, at, took, error, true);
    }

    fn note_failure(
        &self,
        source: &Source,
        at: Timestamp,
        took: Duration,
        error: String,
        denied: bool,
    ) {
        if let Some(Entry { status, .. }) = self.locked().entries.get_mut(source) {
            status.took = took;
            status.last_attempt = Some(at);
            status.error = Some(error);
            status.denied = denied;
        }
    }

    /// Takes a source and its series away, with staleness markers (a database was dropped, a collector no longer runs).
    pub fn retire(&self, source: &Source, at: Timestamp) {
        let mut state = self.locked();
        self.end(&mut state, source, at);
        state.entries.remove(source);
    }

    /// Makes the watched servers known, none of which has a plan yet.
    pub(super) fn watch<'n>(&self, servers: impl Iterator<Item = &'n str>) {
        let unplanned = servers.map(|server| (server.into(), false));
        // What belongs to no server is declared by its room when it starts.
        let own = std::iter::once(("".into(), true));
        self.locked().planned = Some(unplanned.chain(own).collect());
    }

    /// Notes that every source of a server is declared.
    pub(super) fn planned(&self, server: &str) {
        if let Some(servers) = &mut self.locked().planned {
            servers.insert(server.into(), true);
        }
    }

    /// Whether a source will never be read again: its server is not watched, or the server's plan is known and has no
    /// such source.
    pub fn retired(&self, source: &Source) -> bool {
        let state = self.locked();
        let Some(servers) = &state.planned else {
            return false;
        };
        let complete = servers.get(&source.server).copied().unwrap_or(true);
        complete && !state.entries.contains_key(source)
    }

    /// Whether the samples of a source's last reading have not expired at a time.
    pub fn fresh(&self, source: &Source, at: Timestamp) -> bool {
        let state = self.locked();
        let entry = state.entries.get(source);
        entry.is_some_and(|entry| !entry.has_expired(at))
    }

    /// Lets samples whose lifetime has passed become absent.
    pub fn expire(&self, now: Timestamp) {
        let mut state = self.locked();
        let expired: Vec<Source> = state
            .entries
            .values()
            .filter(|entry| !entry.series.stored.is_empty() && entry.has_expired(now))
            .map(|entry| entry.status.source.clone())
            .collect();
        for source in expired {
            self.end(&mut state, &source, now);
        }
    }

    /// Writes samples that are still on the page to the store again before PromQL loses sight of them.
    pub fn repeat(&self, now: Timestamp) {
        let mut state = self.locked();
        for entry in state.entries.values_mut() {
            if !entry.series.stored.is_empty() && now.since(entry.stored_at) >= REPEAT {
                self.store_current(entry, now);
            }
        }
    }

    /// Rises whenever a sample on the page changes.
    pub fn generation(&self) -> u64 {
        self.locked().generation
    }

    /// All current samples by source, `server` label included where several servers are watched.
    pub fn current(&self) -> Vec<(Source, Arc<[Sample]>)> {
        let state = self.locked();
        let entries = state.entries.iter();
        entries
            .filter(|(_, entry)| !entry.series.page.is_empty())
            .map(|(source, entry)| (source.clone(), Arc::clone(&entry.series.page)))
            .collect()
    }

    /// The current samples of one server by source, with the labels they have on the page.
    pub fn current_of(&self, server: &str) -> Vec<(Source, Arc<[Sample]>)> {
        let state = self.locked();
        let entries = state.of_server(server);
        entries
            .filter(|(_, entry)| !entry.series.page.is_empty())
            .map(|(source, entry)| (source.clone(), Arc::clone(&entry.series.page)))
            .collect()
    }

    /// How one source is doing, and its current samples.
    pub fn latest(&self, source: &Source) -> Option<(Status, Arc<[Sample]>)> {
        let state = self.locked();
        let entry = state.entries.get(source)?;
        Some((entry.status.clone(), Arc::clone(&entry.series.page)))
    }

    /// When each source was last read in full, of one server where it is named, sorted by source; nothing of one that
    /// never was.
    pub fn successes(&self, server: Option<&str>) -> Vec<(Source, Timestamp)> {
        let state = self.locked();
        let entries = state.entries.iter();
        entries
            .filter(|(source, _)| server.is_none_or(|name| *source.server == *name))
            .filter_map(|(source, entry)| Some((source.clone(), entry.status.last_success?)))
            .collect()
    }

    /// How every source is doing, sorted by source.
    pub fn statuses(&self) -> Vec<Status> {
        let state = self.locked();
        state
            .entries
            .values()
            .map(|entry| entry.status.clone())
            .collect()
    }

    /// How the sources of one server are doing, sorted by source.
    pub fn statuses_of(&self, server: &str) -> Vec<Status> {
        let state = self.locked();
        let entries = state.of_server(server);
        entries.map(|(_, entry)| entry.status.clone()).collect()
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The samples with the `server` label, where several servers are watched. Those of one row go on sharing theirs.
    fn labelled(&self, source: &Source, mut samples: Vec<Sample>) -> Vec<Sample> {
        if !self.several_servers || source.server.is_empty() {
            return samples;
        }
        let mut last: Option<(Labels, Labels)> = None;
        for sample in &mut samples {
            let labelled = match last.take() {
                Some((before, after)) if before.is(&sample.labels) => (before, after),
                _ => {
                    let after = sample.labels.with("server", &source.server);
                    (sample.labels.clone(), after)
                }
            };
            sample.labels = labelled.1.clone();
            last = Some(labelled);
        }
        samples
    }

    fn end(&self, state: &mut State, source: &Source, at: Timestamp) {
        if let Some((entry, replaced)) = state.replace(source, Vec::new(), &[]) {
            self.store_end(entry, at, replaced);
        }
    }

    /// A marker is later than the last sample even where two readings fall into one millisecond: else it would be
    /// refused as a duplicate, and the series would live on for five minutes.
    fn store_end(&self, entry: &Entry, at: Timestamp, mut replaced: Replaced) {
        let at = at.max(entry.stored_at + Duration::from_millis(1));
        let gone = replaced.gone.iter_mut();
        let gone = gone.map(|(sample, place)| (&*sample, place, STALE));
        self.store_all(&entry.status.source, &entry.sources, at, gone);
    }

    fn store_current(&self, entry: &mut Entry, at: Timestamp) {
        entry.stored_at = at;
        let (source, sources) = (&entry.status.source, &entry.sources);
        let current = entry.series.with_places();
        let current = current.map(|(sample, place)| (sample, place, sample.value));
        self.store_all(source, sources, at, current);
    }

    fn store_all<'s>(
        &self,
        source: &Source,
        sources: &Sources,
        at: Timestamp,
        samples: impl Iterator<Item = (&'s Sample, &'s mut Place, f64)>,
    ) {
        let instance = if source.server.is_empty() {
            JOB
        } else {
            &source.server
        };
        let server = source.server.as_ref();
        let added = [("instance", instance), ("job", JOB), ("server", server)];
        let in_store = |sample: &Sample| {
            let named = [(NAME, sample.family.name.as_ref())];
            Labels::new(sample.labels.iter().chain(named).chain(added))
        };
        let samples = samples.map(|(sample, place, value)| (place, || in_store(sample), value));
        self.store.append_at(at, sources, samples);
    }
}

#[cfg(test)]
mod tests;
