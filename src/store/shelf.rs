//! All series with their index, and what is taken into them.

mod retention;
mod slice;

use std::collections::{HashMap, HashSet};

use super::Size;
use super::arena::Arena;
use super::chunk::Head;
use super::find::Search;
use super::follow::Tap;
use super::heap;
use super::index::{Id, Index};
use super::matcher::Matcher;
use super::place::Place;
use super::refused::Refused;
use super::series::Held;
use crate::sample::{Labels, Sources, Timestamp};

pub(super) use slice::{Mark, Piece, Slice};

/// The series, by place, by labels, and by each label.
#[derive(Debug)]
pub(super) struct Shelf {
    /// Hears of every sample that is taken.
    pub(super) tap: Tap,
    /// In the order in which they came, with gaps where one has gone.
    series: Vec<Option<Box<Held>>>,
    by_labels: HashMap<Labels, Id>,
    index: Index,
    arena: Arena,
    sources: HashSet<Sources>,
    serial: u64,
    samples: usize,
    /// Memory of the series alone.
    bytes: usize,
    refused: Refused,
    removed: u64,
    covers_since: Timestamp,
    tidied: Timestamp,
    /// What was left when room was last made.
    left: usize,
}

/// Whether series are about pgvigil itself, and not about what it watches. They are few and always taken: who else would
/// tell that the store is full?
fn is_own(sources: &Sources) -> bool {
    let mut servers = sources.iter().map(|source| &source.server);
    !sources.is_empty() && servers.all(|server| server.is_empty())
}

impl Shelf {
    /// An empty shelf.
    pub(super) fn new(start: Timestamp) -> Self {
        Shelf {
            tap: Tap::default(),
            series: Vec::new(),
            by_labels: HashMap::new(),
            index: Index::default(),
            arena: Arena::default(),
            sources: HashSet::new(),
            serial: 0,
            samples: 0,
            bytes: 0,
            refused: Refused::default(),
            removed: 0,
            covers_since: start,
            tidied: start,
            left: 0,
        }
    }

    /// Gives the series that will be entered serials above this.
    pub(super) fn number_above(&mut self, serial: u64) {
        self.serial = serial;
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
        let has_room = self.has_room(max_bytes) || is_own(sources);
        if place == Place::REFUSED && !has_room {
            self.refused.no_room += 1;
            return place;
        }
        if self.shown(place).is_some() {
            self.extend(place, at, sources, value);
            return place;
        }
        let labels = labels();
        match self.place(&labels) {
            Some(place) => {
                self.extend(place, at, sources, value);
                place
            }
            None if !has_room => {
                self.refused.no_room += 1;
                Place::REFUSED
            }
            None => {
                let sources = self.shared(sources);
                let head = Head::new(at, value);
                let place = self.enter(&labels, |labels, serial, _| {
                    Held::new(labels, sources, serial, Vec::new(), head)
                });
                self.tap.note(place, value);
                place
            }
        }
    }

    /// Enters a series that is not there yet, made of its labels in shared texts, of its serial, and with the memory for
    /// closed chunks.
    pub(super) fn enter(
        &mut self,
        labels: &Labels,
        series: impl FnOnce(Labels, u64, &mut Arena) -> Held,
    ) -> Place {
        let id = self.series.len() as Id;
        self.serial += 1;
        let labels = self.index.enter(id, labels);
        self.by_labels.insert(labels.clone(), id);
        let series = series(labels, self.serial, &mut self.arena);
        self.bytes += series.bytes();
        self.samples += series.samples();
        self.series.push(Some(Box::new(series)));
        Place::at(id, self.serial)
    }

    /// Where the series of these labels stands.
    pub(super) fn place(&self, labels: &Labels) -> Option<Place> {
        let id = *self.by_labels.get(labels)?;
        Some(Place::at(id, self.series[id as usize].as_ref()?.serial))
    }

    /// Whether another series may come.
    pub(super) fn has_room(&self, max_bytes: usize) -> bool {
        self.bytes() < max_bytes
    }

    /// The same sources, in memory but once.
    pub(super) fn shared(&mut self, sources: &Sources) -> Sources {
        if let Some(known) = self.sources.get(sources) {
            return known.clone();
        }
        self.sources.insert(sources.clone());
        sources.clone()
    }

    /// The series that meet every matcher, in the order in which they came.
    pub(super) fn matching(&self, matchers: &[Matcher]) -> impl Iterator<Item = &Held> {
        let search = Search {
            series: &self.series,
            count: self.by_labels.len(),
            index: &self.index,
        };
        let ids = search.ids(matchers).into_iter();
        ids.filter_map(|id| self.series[id as usize].as_deref())
    }

    /// All series, in the order in which they came.
    pub(super) fn all(&self) -> impl Iterator<Item = &Held> {
        self.series.iter().filter_map(Option::as_deref)
    }

    /// Whether any of these series may have samples in `(after, until]`.
    pub(super) fn any_overlaps(&self, ids: &[Id], after: Timestamp, until: Timestamp) -> bool {
        let mut series = ids
            .iter()
            .filter_map(|id| self.series[*id as usize].as_deref());
        series.any(|series| series.overlaps(after, until))
    }

    /// Since when it has samples.
    pub(super) fn oldest(&self) -> Option<Timestamp> {
        self.all().map(Held::start).min()
    }

    /// The samples of closed chunks, for series that come with many.
    pub(super) fn arena_mut(&mut self) -> &mut Arena {
        &mut self.arena
    }

    /// The samples of closed chunks.
    pub(super) fn arena(&self) -> &Arena {
        &self.arena
    }

    /// The series by label.
    pub(super) fn index(&self) -> &Index {
        &self.index
    }

    /// The labels of the series at a place, while it is there.
    pub(super) fn named(&self, place: Place) -> Option<Labels> {
        let (id, serial) = place.known()?;
        let series = self.series.get(id as usize)?.as_deref()?;
        (series.serial == serial).then(|| series.labels.clone())
    }

    /// Since when nothing is missing.
    pub(super) fn covers_since(&self) -> Timestamp {
        self.covers_since
    }

    /// Its size now.
    pub(super) fn size(&self) -> Size {
        Size {
            series: self.by_labels.len(),
            samples: self.samples,
            bytes: self.bytes(),
            refused: self.refused,
            created: self.serial,
            removed: self.removed,
        }
    }

    fn bytes(&self) -> usize {
        self.bytes
            + self.arena.bytes()
            + self.index.bytes()
            + heap::table::<(Labels, Id)>(self.by_labels.capacity())
            + heap::list::<Option<Box<Held>>>(self.series.capacity())
    }

    fn shown(&mut self, place: Place) -> Option<(&mut Held, &mut Arena)> {
        let (id, serial) = place.known()?;
        let series = self.series.get_mut(id as usize)?.as_deref_mut()?;
        (series.serial == serial).then_some((series, &mut self.arena))
    }

    fn extend(&mut self, place: Place, at: Timestamp, sources: &Sources, value: f64) {
        let Some((series, arena)) = self.shown(place) else {
            return;
        };
        let (newest, known) = series.newest();
        if at > newest {
            let moved = series.sources != *sources;
            let grown = series.push(arena, at, value);
            self.bytes = self.bytes.saturating_add_signed(grown);
            self.samples += 1;
            self.tap.note(place, value);
            if moved {
                self.move_to(place, sources);
            }
        } else if at < newest {
            self.refused.out_of_order += 1;
        } else if value.to_bits() != known.to_bits() {
            self.refused.duplicate += 1;
        }
    }

    fn move_to(&mut self, place: Place, sources: &Sources) {
        let sources = self.shared(sources);
        if let Some((series, _)) = self.shown(place) {
            series.sources = sources;
        }
    }
}
