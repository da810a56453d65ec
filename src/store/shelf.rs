//! All series with their index, and what retention takes away from them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::Size;
use super::follow::Tap;
use super::index::{Id, Index};
use super::matcher::{Matcher, Test};
use super::place::Place;
use super::series::Held;
use super::texts::{Pair, Text, Texts};
use crate::sample::{Labels, Sources, Timestamp};

/// How often old chunks are looked for.
const TIDY_EVERY: Duration = Duration::from_secs(60);

/// A chunk that grew within this time is not dropped for want of room: what is current stays whole.
const CURRENT: Duration = Duration::from_secs(15 * 60);

/// The part of `max_bytes` that is freed at once when the store is full, so that this is seldom.
const FREED_AT_ONCE: usize = 16;

/// The series, by place, by labels, and by each label.
#[derive(Debug)]
pub(super) struct Shelf {
    /// Hears of every sample that is taken.
    pub(super) tap: Tap,
    series: Vec<Option<Held>>,
    vacant: Vec<Id>,
    by_labels: HashMap<Arc<[Pair]>, Id>,
    index: Index,
    texts: Texts,
    serial: u32,
    bytes: usize,
    refused: u64,
    covers_since: Timestamp,
    tidied: Timestamp,
    /// What was left when room was last made.
    left: usize,
}

impl Shelf {
    /// An empty shelf.
    pub(super) fn new(start: Timestamp) -> Self {
        Shelf {
            tap: Tap::default(),
            series: Vec::new(),
            vacant: Vec::new(),
            by_labels: HashMap::new(),
            index: Index::default(),
            texts: Texts::default(),
            serial: 0,
            bytes: 0,
            refused: 0,
            covers_since: start,
            tidied: start,
            left: 0,
        }
    }

    /// Adds a sample, or refuses it, and says where its series stands. It is looked for by its labels only where
    /// `place` does not show it.
    pub(super) fn push(
        &mut self,
        at: Timestamp,
        sources: &Sources,
        place: Place,
        labels: impl FnOnce() -> Labels,
        value: f64,
        max_bytes: usize,
    ) -> Place {
        let full = self.bytes >= max_bytes;
        if full && place == Place::REFUSED {
            self.refused += 1;
            return place;
        }
        if self.shown(place).is_some() {
            self.extend(place, at, sources, value);
            return place;
        }
        let labels = labels();
        let pairs = self.texts.pairs(&labels);
        let known = pairs.and_then(|pairs| self.by_labels.get(pairs.as_slice()).copied());
        match known {
            Some(id) => {
                let serial = self.series[id as usize].as_ref().map(|held| held.serial);
                let place = Place::at(id, serial.unwrap_or_default());
                self.extend(place, at, sources, value);
                place
            }
            None if full => {
                self.refused += 1;
                Place::REFUSED
            }
            None => self.enter(at, sources, &labels, value),
        }
    }

    /// Drops what is older than `horizon`, and beyond that the oldest until `max_bytes` holds.
    pub(super) fn tidy(&mut self, now: Timestamp, horizon: Timestamp, max_bytes: usize) {
        let step = max_bytes / FREED_AT_ONCE;
        // Room is made a step early, so that new series find some.
        let most = max_bytes - step;
        let due = now.since(self.tidied) >= TIDY_EVERY;
        let full = self.bytes > most && self.bytes > self.left + step;
        if !due && !full {
            return;
        }
        self.tidied = now;
        self.drop_until(horizon);
        if self.bytes > most {
            let excess = self.bytes - most + step;
            if let Some(end) = self.end_of_oldest(excess, now.before(CURRENT)) {
                self.drop_until(end);
            }
            self.left = self.bytes;
        }
    }

    /// The series that meet every matcher.
    pub(super) fn matching<'a>(
        &'a self,
        matchers: &'a [Matcher],
    ) -> impl Iterator<Item = &'a Held> + 'a {
        let (few, all) = match self.index.candidates(matchers, &self.texts) {
            Some(ids) => (ids, &[][..]),
            None => (&[][..], self.series.as_slice()),
        };
        let tests = matchers.iter();
        let tests: Vec<(Option<Text>, &Test)> = tests
            .map(|matcher| (self.texts.find(&matcher.name), &matcher.test))
            .collect();
        few.iter()
            .filter_map(|id| self.series[*id as usize].as_ref())
            .chain(all.iter().flatten())
            .filter(move |series| {
                let mut tests = tests.iter();
                tests.all(|(name, test)| test.accepts(self.value(series, *name)))
            })
    }

    /// The labels of a series.
    pub(super) fn labels(&self, series: &Held) -> Labels {
        self.texts.labels(&series.labels)
    }

    /// The labels of the series at a place, while it is there.
    pub(super) fn named(&self, place: Place) -> Option<Labels> {
        let (id, serial) = place.known()?;
        let series = self.series.get(id as usize)?.as_ref()?;
        (series.serial == serial).then(|| self.labels(series))
    }

    /// Since when nothing is missing.
    pub(super) fn covers_since(&self) -> Timestamp {
        self.covers_since
    }

    /// Its size now.
    pub(super) fn size(&self) -> Size {
        Size {
            series: self.by_labels.len(),
            samples: self.series.iter().flatten().map(Held::samples).sum(),
            bytes: self.bytes,
            refused: self.refused,
        }
    }

    fn shown(&mut self, place: Place) -> Option<&mut Held> {
        let (id, serial) = place.known()?;
        let series = self.series.get_mut(id as usize)?.as_mut()?;
        (series.serial == serial).then_some(series)
    }

    fn extend(&mut self, place: Place, at: Timestamp, sources: &Sources, value: f64) {
        let Some(series) = self.shown(place) else {
            return;
        };
        if at <= series.newest().0 {
            self.refused += 1;
            return;
        }
        if series.sources != *sources {
            series.sources = sources.clone();
        }
        let grown = series.push(at, value);
        self.bytes += grown;
        self.tap.note(place, value);
    }

    fn enter(&mut self, at: Timestamp, sources: &Sources, labels: &Labels, value: f64) -> Place {
        let id = self.vacant.pop().unwrap_or_else(|| {
            self.series.push(None);
            (self.series.len() - 1) as Id
        });
        self.serial = Place::next_serial(self.serial);
        let labels = self.texts.enter(labels);
        self.index.insert(id, &labels);
        self.by_labels.insert(labels.clone(), id);
        let series = Held::new(labels, sources.clone(), self.serial, at, value);
        self.bytes += series.bytes();
        self.series[id as usize] = Some(series);
        let place = Place::at(id, self.serial);
        self.tap.note(place, value);
        place
    }

    /// A label's value; empty when absent.
    fn value(&self, series: &Held, name: Option<Text>) -> &str {
        let mut pairs = series.labels.iter();
        let pair = name.and_then(|name| pairs.find(|(known, _)| *known == name));
        pair.map_or("", |(_, value)| self.texts.get(*value))
    }

    /// The end of the oldest chunks that together free `bytes`, or of all that ended by `limit`.
    fn end_of_oldest(&self, bytes: usize, limit: Timestamp) -> Option<Timestamp> {
        let ends = self.series.iter().flatten().flat_map(Held::ends);
        let mut ends: Vec<(Timestamp, usize)> = ends.filter(|(end, _)| *end <= limit).collect();
        ends.sort_unstable_by_key(|(end, _)| *end);
        let mut freed = 0;
        let enough = ends.iter().find(|(_, size)| {
            freed += size;
            freed >= bytes
        });
        enough.or(ends.last()).map(|(end, _)| *end)
    }

    fn drop_until(&mut self, horizon: Timestamp) {
        let mut dropped: Option<Timestamp> = None;
        let mut emptied = false;
        self.bytes = 0;
        for place in &mut self.series {
            let Some(series) = place else { continue };
            dropped = dropped.max(series.drop_until(horizon));
            if series.ended_by(horizon) {
                dropped = dropped.max(Some(series.newest().0));
                self.by_labels.remove(&series.labels);
                self.texts.leave(&series.labels);
                *place = None;
                emptied = true;
            } else {
                self.bytes += series.bytes();
            }
        }
        if let Some(end) = dropped {
            self.covers_since = self.covers_since.max(end);
        }
        if emptied {
            self.strike_out();
        }
    }

    fn strike_out(&mut self) {
        let series = &self.series;
        self.index.remove(|id| series[id as usize].is_none());
        let places = 0..self.series.len() as Id;
        self.vacant = places
            .filter(|id| self.series[*id as usize].is_none())
            .collect();
    }
}
