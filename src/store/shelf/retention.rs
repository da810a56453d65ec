//! What is taken away for its age, or for want of room.

use std::time::Duration;

use super::Shelf;
use crate::sample::Timestamp;
use crate::store::index::Id;
use crate::store::series::Held;

/// How often old chunks are looked for.
const TIDY_EVERY: Duration = Duration::from_secs(60);

/// A chunk that grew within this time is not dropped for want of room: what is current stays whole.
const CURRENT: Duration = Duration::from_secs(15 * 60);

/// The part of `max_bytes` that is freed at once when the store is full, so that this is seldom.
const FREED_AT_ONCE: usize = 16;

/// In so many steps of time the oldest chunks are looked for.
const STEPS: usize = 1024;

/// Fewer gaps than this are left among the series.
const FEW_GAPS: usize = 1024;

impl Shelf {
    /// Drops what is older than `horizon`, and beyond that the oldest until `max_bytes` holds. Returns what that made
    /// the horizon.
    pub(in crate::store) fn tidy(
        &mut self,
        now: Timestamp,
        horizon: Timestamp,
        max_bytes: usize,
    ) -> Timestamp {
        let step = max_bytes / FREED_AT_ONCE;
        // Room is made a step early, so that new series find some.
        let most = max_bytes - step;
        let due = now.since(self.tidied) >= TIDY_EVERY;
        let bytes = self.bytes();
        let full = bytes > most && bytes > self.left.saturating_add(step);
        match due || full {
            true => self.make_room(now, horizon, most, step),
            false => horizon,
        }
    }

    /// As [`Shelf::tidy`], whether or not it is time.
    pub(in crate::store) fn tidy_now(
        &mut self,
        now: Timestamp,
        horizon: Timestamp,
        max_bytes: usize,
    ) {
        let step = max_bytes / FREED_AT_ONCE;
        self.make_room(now, horizon, max_bytes - step, step);
    }

    fn make_room(
        &mut self,
        now: Timestamp,
        horizon: Timestamp,
        most: usize,
        step: usize,
    ) -> Timestamp {
        self.tidied = now;
        self.drop_until(horizon);
        let bytes = self.bytes();
        if bytes <= most {
            return horizon;
        }
        let end = self.end_of_oldest(bytes - most + step, now.before(CURRENT));
        if let Some(end) = end {
            self.drop_until(end);
        }
        self.left = self.bytes();
        end.unwrap_or(horizon).max(horizon)
    }

    /// A time by which chunks ended that together free `bytes`, or all that ended by `limit`. Their bytes are summed up by
    /// steps of time, for a list of all chunks would take more memory than there is to spare.
    fn end_of_oldest(&self, bytes: usize, limit: Timestamp) -> Option<Timestamp> {
        let ends = || {
            self.all()
                .flat_map(Held::ends)
                .filter(|(end, _)| *end <= limit)
        };
        let oldest = ends().map(|(end, _)| end).min()?;
        let step = limit.0.abs_diff(oldest.0) / STEPS as u64 + 1;
        let mut sums = [0; STEPS];
        for (end, size) in ends() {
            sums[(end.0.abs_diff(oldest.0) / step) as usize] += size;
        }
        let mut freed = 0;
        let enough = sums.iter().position(|sum| {
            freed += sum;
            freed >= bytes
        });
        let steps = enough.map_or(STEPS, |place| place + 1) as u64;
        let end = oldest.0.checked_add_unsigned(steps * step - 1);
        Some(end.map_or(limit, |end| limit.min(Timestamp(end))))
    }

    fn drop_until(&mut self, horizon: Timestamp) {
        let (mut last, mut removed) = (None, 0);
        for place in &mut self.series {
            let Some(series) = place else { continue };
            if series.ended_by(horizon) {
                last = last.max(Some(series.newest().0));
                self.samples -= series.samples();
                self.bytes -= series.bytes();
                self.by_labels.remove(&series.labels);
                series.release(&mut self.arena);
                *place = None;
                removed += 1;
            } else {
                let dropped = series.drop_until(&mut self.arena, horizon);
                last = last.max(dropped.end);
                self.samples -= dropped.samples;
                self.bytes -= dropped.bytes;
            }
        }
        if let Some(end) = last {
            self.covers_since = self.covers_since.max(end);
        }
        if removed > 0 {
            self.removed += removed;
            self.strike_out();
        }
    }

    /// Takes series that have gone out of the index, and closes the gaps they have left when these are many. Places that
    /// are known elsewhere then no longer hold; a look by labels finds the new ones.
    fn strike_out(&mut self) {
        let gaps = self.series.len() - self.by_labels.len();
        if gaps <= FEW_GAPS.max(self.by_labels.len()) {
            let series = &self.series;
            self.index
                .renumber(|id| series[id as usize].is_some().then_some(id));
        } else {
            self.close_gaps();
        }
        self.by_labels.shrink_to(2 * self.by_labels.len());
        self.sources = self.all().map(|series| series.sources.clone()).collect();
    }

    fn close_gaps(&mut self) {
        let mut next: Id = 0;
        let places = self.series.iter().map(|held| {
            let place = held.is_some().then_some(next);
            next += Id::from(held.is_some());
            place
        });
        let places: Vec<Option<Id>> = places.collect();
        self.index.renumber(|id| places[id as usize]);
        for id in self.by_labels.values_mut() {
            *id = places[*id as usize].unwrap_or(*id);
        }
        self.series.retain(Option::is_some);
        self.series.shrink_to(2 * self.series.len());
    }
}
