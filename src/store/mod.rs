//! Series in memory with retention, and a snapshot of them on disk; has never heard of PostgreSQL.
//! Takes labels and values with their time and sources; hands series to `promql`.

mod arena;
mod bits;
mod chunk;
mod find;
mod follow;
mod heap;
mod index;
mod keeper;
mod matcher;
mod names;
mod place;
mod refused;
mod samples;
mod series;
mod settings;
mod shelf;
mod snapshot;
mod statistics;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use crate::sample::{Labels, Source, Sources, Timestamp};

pub use follow::{Followed, Follower, Taken};
pub use keeper::{Keeper, Kept};
pub use matcher::{Matcher, Test};
pub use place::Place;
pub use refused::Refused;
pub use settings::{Settings, SnapshotSettings};
use shelf::Shelf;
pub use snapshot::SnapshotError;
pub use statistics::{Ranking, Statistics};

/// A source that was read so much earlier than it was read before shows that the clock was set back.
const SET_BACK: Duration = Duration::from_secs(60);

/// A series as it was selected.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// All labels, `__name__`, `job` and `instance` included.
    pub labels: Labels,
    /// What its newest sample rests on.
    pub sources: Sources,
    /// Its samples in order of time, staleness markers included.
    pub points: Vec<(Timestamp, f64)>,
}

/// The newest sample of a series in a span.
#[derive(Debug, Clone, PartialEq)]
pub struct Latest {
    /// All labels, `__name__`, `job` and `instance` included.
    pub labels: Labels,
    /// What its newest sample rests on.
    pub sources: Sources,
    /// When the sample was taken.
    pub at: Timestamp,
    /// Its value, which may be the staleness marker.
    pub value: f64,
}

/// How much the store holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Size {
    /// Series with at least one sample.
    pub series: usize,
    /// Samples.
    pub samples: usize,
    /// Memory of the compressed samples and the index, with what the allocator adds.
    pub bytes: usize,
    /// Samples refused since the start.
    pub refused: Refused,
    /// Series entered since the start, those of a snapshot included.
    pub created: u64,
    /// Series taken away since the start because all of their samples were dropped.
    pub removed: u64,
}

/// All series of this process. Shared by reference; every call locks for itself.
#[derive(Debug)]
pub struct Store {
    held: RwLock<Held>,
}

#[derive(Debug)]
struct Held {
    retention: Duration,
    max_bytes: usize,
    shelf: Shelf,
    successes: HashMap<Source, Timestamp>,
}

impl Store {
    /// An empty store that covers from `start` on.
    pub fn new(settings: &Settings, start: Timestamp) -> Self {
        Store {
            held: RwLock::new(Held {
                retention: settings.retention,
                max_bytes: settings.most(),
                shelf: Shelf::new(start),
                successes: HashMap::new(),
            }),
        }
    }

    /// Takes other bounds and keeps what they allow.
    pub fn configure(&self, settings: &Settings, now: Timestamp) {
        let held = &mut *self.write();
        held.retention = settings.retention;
        held.max_bytes = settings.most();
        let horizon = now.before(held.retention);
        held.shelf.tidy_now(now, horizon, held.max_bytes);
    }

    /// Adds one sample to each series at one time. `labels` hold `__name__`. A sample not newer than its series'
    /// newest is refused and counted, but for one that says the same once more.
    pub fn append(
        &self,
        at: Timestamp,
        sources: &Sources,
        samples: impl IntoIterator<Item = (Labels, f64)>,
    ) {
        let held = &mut *self.write();
        for (labels, value) in samples {
            held.push(at, sources, Place::default(), || labels, value);
        }
        held.tidy(at);
    }

    /// As [`Store::append`], for who appends to the same series again and again and keeps their places: labels are
    /// asked for only where a place does not show its series.
    pub fn append_at<'p, L: FnOnce() -> Labels>(
        &self,
        at: Timestamp,
        sources: &Sources,
        samples: impl IntoIterator<Item = (&'p mut Place, L, f64)>,
    ) {
        let held = &mut *self.write();
        for (place, labels, value) in samples {
            *place = held.push(at, sources, *place, labels, value);
        }
        held.tidy(at);
    }

    /// Notes that a source was read in full at a time. When that is much earlier than it was read before, the clock was set
    /// back, and what lies ahead is forgotten. One that has not been for longer than anything is kept is
    /// forgotten when another comes, so that databases may come and go.
    pub fn succeeded(&self, source: &Source, at: Timestamp) {
        if self
            .last_success(source)
            .is_some_and(|newest| newest > at + SET_BACK)
        {
            self.rewind(at);
        }
        let Held {
            successes,
            retention,
            ..
        } = &mut *self.write();
        match successes.get_mut(source) {
            Some(newest) => *newest = at.max(*newest),
            None => {
                let horizon = at.before(*retention);
                successes.retain(|_, newest| *newest > horizon);
                successes.insert(source.clone(), at);
            }
        }
    }

    /// Forgets what lies ahead, because the clock was set back: it would keep new samples away, and rules would find
    /// their past where they look for their present.
    fn rewind(&self, now: Timestamp) {
        let mut whole = Vec::new();
        let written = self.write_snapshot(&mut whole, now);
        let read = written
            .map_err(Into::into)
            .and_then(|()| self.restore(whole.as_slice(), now));
        match read {
            Ok(_) => tracing::warn!(
                "the clock was set back to {}; what was stored of later moments is forgotten",
                now.rfc3339()
            ),
            Err(error) => tracing::error!("the clock was set back, and the history {error}"),
        }
    }

    /// When a source was last read in full, also when its series have gone; nothing once that is out of memory.
    pub fn last_success(&self, source: &Source) -> Option<Timestamp> {
        self.read().successes.get(source).copied()
    }

    /// The series that meet every matcher and have samples in the left-open span `(after, until]`, with those samples;
    /// in the order in which the series came, which is none that means anything.
    pub fn select(&self, matchers: &[Matcher], after: Timestamp, until: Timestamp) -> Vec<Series> {
        let all = self.select_up_to(matchers, after, until, usize::MAX);
        all.unwrap_or_default()
    }

    /// The same, unless these are more than `most` samples.
    pub fn select_up_to(
        &self,
        matchers: &[Matcher],
        after: Timestamp,
        until: Timestamp,
        most: usize,
    ) -> Option<Vec<Series>> {
        let held = self.read();
        let mut room = most;
        let mut found = Vec::new();
        for series in held.shelf.matching(matchers) {
            let points = series.points(held.shelf.arena(), after, until);
            room = room.checked_sub(points.len())?;
            if !points.is_empty() {
                found.push(Series {
                    labels: series.labels.clone(),
                    sources: series.sources.clone(),
                    points,
                });
            }
        }
        Some(found)
    }

    /// Of every series that meets every matcher, the newest sample in the left-open span `(after, until]`; in the order
    /// of [`Store::select`].
    pub fn latest(&self, matchers: &[Matcher], after: Timestamp, until: Timestamp) -> Vec<Latest> {
        let held = self.read();
        held.shelf
            .matching(matchers)
            .filter_map(|series| {
                let (at, value) = series.latest(held.shelf.arena(), after, until)?;
                Some(Latest {
                    labels: series.labels.clone(),
                    sources: series.sources.clone(),
                    at,
                    value,
                })
            })
            .collect()
    }

    /// The labels of the series that meet every matcher and have samples in `(after, until]`, in no order.
    pub fn labels(&self, matchers: &[Matcher], after: Timestamp, until: Timestamp) -> Vec<Labels> {
        let held = self.read();
        held.shelf
            .matching(matchers)
            .filter(|series| series.overlaps(after, until))
            .map(|series| series.labels.clone())
            .collect()
    }

    /// Since when the store has seen everything: its start, or the end of what retention took away. What comes from a
    /// snapshot does not count, for nobody has seen the time between that and the start.
    pub fn covers_since(&self) -> Timestamp {
        self.read().shelf.covers_since()
    }

    /// Its size now.
    pub fn size(&self) -> Size {
        self.read().shelf.size()
    }

    /// A panic elsewhere leaves no half-written series behind, so a poisoned lock is taken all the same.
    fn read(&self) -> RwLockReadGuard<'_, Held> {
        self.held.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Held> {
        self.held.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn push(
        &mut self,
        at: Timestamp,
        sources: &Sources,
        place: Place,
        labels: impl FnOnce() -> Labels,
        value: f64,
    ) -> Place {
        self.shelf
            .push(at, sources, place, labels, value, self.max_bytes)
    }

    fn tidy(&mut self, now: Timestamp) {
        self.shelf.tap.hand_on(now);
        let horizon = now.before(self.retention);
        self.shelf.tidy(now, horizon, self.max_bytes);
    }
}
