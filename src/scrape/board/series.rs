//! The series of one source's last reading, and what becomes of them at its next.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use crate::sample::{Labels, Sample};
use crate::store::Place;

/// Prometheus writes `up` about us by itself, so that ours is for the store alone.
const STORE_ONLY: &str = "up";

/// What makes a series one on the page, its name and its labels there, as a number. That two of a million are alike
/// has a chance of one in thirty million; then the later one is left out, as a duplicate would be, and counted.
pub(super) type Identity = u64;

/// Identities of this process.
#[derive(Debug, Default)]
pub(super) struct Identities(RandomState);

impl Identities {
    /// The identity of each sample. Those of one row share their labels, which are looked at once.
    pub(super) fn of(&self, samples: &[Sample]) -> Vec<Identity> {
        let mut last: Option<(&Labels, u64)> = None;
        let each = samples.iter().map(|sample| {
            let labels = match last {
                Some((known, hash)) if known.is(&sample.labels) => hash,
                _ => self.0.hash_one(&sample.labels),
            };
            last = Some((&sample.labels, labels));
            self.0.hash_one((labels, &*sample.family.name))
        });
        each.collect()
    }
}

/// One source's series.
#[derive(Debug, Default)]
pub(super) struct Series {
    /// For the store.
    pub(super) stored: Arc<[Sample]>,
    /// For the page: the same, but for what the store alone has.
    pub(super) page: Arc<[Sample]>,
    known: Vec<(Identity, Place)>,
}

/// What putting new samples in the place of old ones came to.
#[derive(Default)]
pub(super) struct Replaced {
    /// The last samples of the series that have ended.
    pub(super) gone: Vec<(Sample, Place)>,
    /// How many of the new ones were left out.
    pub(super) refused: u64,
    /// Whether the page is another.
    pub(super) changed: bool,
}

impl Series {
    /// Puts samples in the place of the last ones, but for those that stand there twice and those whose identity
    /// another source has `taken`.
    pub(super) fn replace(
        &mut self,
        samples: Vec<Sample>,
        identities: &[Identity],
        taken: &mut HashSet<Identity>,
    ) -> Replaced {
        let read = samples.len();
        let mut last = Last::new(&self.known);
        let mut known = Vec::with_capacity(read);
        let mut admitted = Vec::with_capacity(read);
        for (mut sample, identity) in samples.into_iter().zip(identities) {
            let place = match last.take(*identity) {
                Found::At(at) => {
                    // So that labels are held once, whoever holds on to the last reading.
                    sample.labels = self.stored[at].labels.clone();
                    self.known[at].1
                }
                Found::Nowhere if taken.insert(*identity) => Place::default(),
                Found::Nowhere | Found::Twice => continue,
            };
            known.push((*identity, place));
            admitted.push(sample);
        }
        let left = last.left();
        for at in &left {
            taken.remove(&self.known[*at].0);
        }
        let gone = left
            .into_iter()
            .map(|at| (self.stored[at].clone(), self.known[at].1));
        let gone = gone.collect();
        self.known = known;
        Replaced {
            gone,
            refused: (read - admitted.len()) as u64,
            changed: self.put(admitted),
        }
    }

    /// Each sample with the place of its series in the store.
    pub(super) fn with_places(&mut self) -> impl Iterator<Item = (&Sample, &mut Place)> {
        let places = self.known.iter_mut().map(|(_, place)| place);
        self.stored.iter().zip(places)
    }

    /// Takes new samples; says whether the page changes with them.
    fn put(&mut self, samples: Vec<Sample>) -> bool {
        let on_page = |sample: &Sample| *sample.family.name != *STORE_ONLY;
        self.stored = samples.into();
        let page = if self.stored.iter().all(on_page) {
            Arc::clone(&self.stored)
        } else {
            self.stored
                .iter()
                .filter(|sample| on_page(sample))
                .cloned()
                .collect()
        };
        let changed = self.page != page;
        if changed {
            self.page = page;
        } else if Arc::ptr_eq(&page, &self.stored) {
            // One copy is enough; the page's is the one that others may hold already.
            self.stored = Arc::clone(&self.page);
        }
        changed
    }
}

/// The series of the last reading, as they are found again in the new one.
struct Last<'k> {
    known: &'k [(Identity, Place)],
    found: Vec<bool>,
    next: usize,
    /// Made when the order has changed.
    places: Option<HashMap<Identity, usize>>,
}

enum Found {
    At(usize),
    Twice,
    Nowhere,
}

impl<'k> Last<'k> {
    fn new(known: &'k [(Identity, Place)]) -> Self {
        Last {
            known,
            found: vec![false; known.len()],
            next: 0,
            places: None,
        }
    }

    fn take(&mut self, identity: Identity) -> Found {
        let expected = self.known.get(self.next);
        let at = if expected.is_some_and(|(known, _)| *known == identity) {
            self.next
        } else {
            let known = self.known.iter().enumerate();
            let places = self
                .places
                .get_or_insert_with(|| known.map(|(at, (identity, _))| (*identity, at)).collect());
            match places.get(&identity) {
                Some(at) => *at,
                None => return Found::Nowhere,
            }
        };
        self.next = at + 1;
        if std::mem::replace(&mut self.found[at], true) {
            Found::Twice
        } else {
            Found::At(at)
        }
    }

    /// Those that have not been found.
    fn left(self) -> Vec<usize> {
        let found = self.found.into_iter().enumerate();
        found
            .filter(|(_, found)| !found)
            .map(|(at, _)| at)
            .collect()
    }
}
