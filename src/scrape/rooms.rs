//! How many series each source of one server may have, and what it showed at its last reading.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::shares::shares;
use crate::collectors::{Room, Sampled, Shown};
use crate::sample::Source;

/// The room of one server, divided by collector and database. Every call locks for itself.
#[derive(Debug)]
pub(super) struct Rooms {
    max_series: usize,
    last: Mutex<HashMap<Source, Option<Last>>>,
}

#[derive(Debug, Default)]
struct Last {
    wanted: usize,
    held: usize,
    shown: Shown,
}

impl Rooms {
    /// Room for `max_series` of each collector; 0 for any number.
    pub(super) fn new(max_series: usize) -> Self {
        Rooms {
            max_series,
            last: Mutex::default(),
        }
    }

    /// Makes the sources known that share the room, and forgets all others.
    pub(super) fn divide<'s>(&self, sources: impl Iterator<Item = &'s Source>) {
        let mut last = self.locked();
        let mut before = std::mem::take(&mut *last);
        *last = sources
            .map(|source| (source.clone(), before.remove(source).flatten()))
            .collect();
    }

    /// The room for a reading that is about to begin. A database gets what it wanted last time as far as that is fair,
    /// and never what another one still holds; one that was never read is expected to want a tenth of an equal share.
    pub(super) fn of(&self, source: &Source) -> Room {
        let last = self.locked();
        let shown = match last.get(source) {
            Some(Some(known)) => known.shown.clone(),
            _ => Shown::default(),
        };
        if self.max_series == 0 {
            return Room {
                series: None,
                shown,
            };
        }
        let others: Vec<&Option<Last>> = last
            .iter()
            .filter(|(other, _)| other.collector == source.collector && *other != source)
            .map(|(_, last)| last)
            .collect();
        let modest = self.max_series / (10 * (others.len() + 1));
        let mut wanted: Vec<usize> = others
            .iter()
            .map(|last| last.as_ref().map_or(modest, |last| last.wanted))
            .collect();
        // What it wants may have grown since.
        wanted.push(usize::MAX);
        let fair = shares(self.max_series, &wanted).pop();
        let held: usize = others.iter().copied().flatten().map(|last| last.held).sum();
        Room {
            series: fair.map(|fair| fair.min(self.max_series.saturating_sub(held))),
            shown,
        }
    }

    /// Remembers a reading.
    pub(super) fn keep(&self, source: &Source, sampled: &mut Sampled) {
        if let Some(last) = self.locked().get_mut(source) {
            *last = Some(Last {
                wanted: sampled.wanted,
                held: sampled.samples.len(),
                shown: std::mem::take(&mut sampled.shown),
            });
        }
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<Source, Option<Last>>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Metric;

    /// What two databases show of what they want, reading after reading.
    fn check(max_series: usize, wanted: [usize; 2], readings: usize) -> Vec<[usize; 2]> {
        let sources = ["large", "small"].map(|database| Source::new("s", database, "tables"));
        let rooms = Rooms::new(max_series);
        rooms.divide(sources.iter());
        let mut shown = [0; 2];
        let mut history = Vec::new();
        for _ in 0..readings {
            for (place, source) in sources.iter().enumerate() {
                let room = rooms.of(source).series.unwrap_or(usize::MAX);
                shown[place] = room.min(wanted[place]);
                let sample = Metric::gauge("x", "X.").sample(&[], 0.0);
                let mut sampled = Sampled {
                    samples: vec![sample; shown[place]],
                    wanted: wanted[place],
                    ..Sampled::default()
                };
                rooms.keep(source, &mut sampled);
                assert!(shown.iter().sum::<usize>() <= max_series || max_series == 0);
            }
            history.push(shown);
        }
        history
    }

    #[test]
    fn the_cap_holds_at_every_moment_and_the_shares_become_fair() {
        assert_eq!(check(100, [80, 15], 1), [[80, 15]], "both fit at once");
        assert_eq!(check(100, [500, 20], 3), [[95, 5], [80, 20], [80, 20]]);
        assert_eq!(check(100, [500, 500], 3), [[95, 5], [50, 50], [50, 50]]);
        assert_eq!(check(0, [500, 500], 1), [[500, 500]]);
    }
}
