//! When which job is due. Each has its own slots, spread over its interval; a slot that was missed is not made up for.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use super::job::Job;
use crate::sample::Source;

/// The jobs of one lane with the moment each is due, counted from the start of the watch.
#[derive(Debug, Default)]
pub(super) struct Timetable {
    entries: Vec<(Duration, Arc<Job>)>,
}

impl Timetable {
    /// Takes over a new set of jobs: those that were there before keep their slots, new ones are due at once.
    pub(super) fn replace(&mut self, jobs: impl Iterator<Item = Arc<Job>>, now: Duration) {
        let before = std::mem::take(&mut self.entries);
        self.entries = jobs
            .map(
                |job| match before.iter().find(|(_, known)| known.is_same(&job)) {
                    Some((due, known)) => (*due, Arc::clone(known)),
                    None => (now, job),
                },
            )
            .collect();
    }

    /// Makes every job due, for a server that has just come back.
    pub(super) fn hurry(&mut self, now: Duration) {
        for (due, _) in &mut self.entries {
            *due = now.min(*due);
        }
    }

    /// When the next job is due; `None` without jobs.
    pub(super) fn next(&self) -> Option<Duration> {
        self.entries.iter().map(|(due, _)| *due).min()
    }

    /// The job that has been due longest, if any is.
    pub(super) fn due(&self, now: Duration) -> Option<Arc<Job>> {
        let due = self.entries.iter().filter(|(due, _)| *due <= now);
        due.min_by_key(|(due, _)| *due)
            .map(|(_, job)| Arc::clone(job))
    }

    /// Every job that is due for the same database as `first`, itself included.
    pub(super) fn due_with(&self, first: &Job, now: Duration) -> Vec<Arc<Job>> {
        let due = self
            .entries
            .iter()
            .filter(|(due, job)| *due <= now && job.database == first.database);
        due.map(|(_, job)| Arc::clone(job)).collect()
    }

    /// Notes that a job was read and is next due in its first slot to come.
    pub(super) fn done(&mut self, done: &Job, now: Duration) {
        let entry = self
            .entries
            .iter_mut()
            .find(|(_, job)| job.source == done.source);
        if let Some((due, job)) = entry {
            *due = next_slot(now, job.interval(), offset(&job.source, job.interval()));
        }
    }
}

/// The first moment after `now` that is `offset` past a multiple of the interval.
fn next_slot(now: Duration, interval: Duration, offset: Duration) -> Duration {
    let (now, interval, offset) = (
        now.as_millis(),
        interval.as_millis().max(1),
        offset.as_millis(),
    );
    let passed = (now + interval - offset % interval) / interval;
    Duration::from_millis((passed * interval + offset % interval) as u64)
}

/// A place in the interval that depends on nothing but the source.
fn offset(source: &Source, interval: Duration) -> Duration {
    let mut hasher = DefaultHasher::new();
    source.hash(&mut hasher);
    Duration::from_millis(hasher.finish() % (interval.as_millis() as u64).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn missed_slots_are_skipped() {
        let cases = [
            (0, 15_000, 4_000, 4_000),
            (4_000, 15_000, 4_000, 19_000),
            (4_001, 15_000, 4_000, 19_000),
            (100_000, 15_000, 4_000, 109_000),
            (0, 15_000, 0, 15_000),
            (7, 1, 0, 8),
        ];
        for (now, interval, offset, next) in cases {
            assert_eq!(
                next_slot(ms(now), ms(interval), ms(offset)),
                ms(next),
                "{now}/{interval}+{offset}"
            );
        }
    }

    #[test]
    fn sources_are_spread_over_the_interval() {
        let interval = ms(15_000);
        let offsets =
            (0..100).map(|number| offset(&Source::new("s", &number.to_string(), "c"), interval));
        let early = offsets.filter(|offset| *offset < interval / 2).count();
        assert!(
            (30..=70).contains(&early),
            "{early} of 100 in the first half"
        );
    }
}
