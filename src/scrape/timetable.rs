//! When which job is due. Each has its own slots, spread over its interval; a slot that was missed is not made up for.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use super::job::Job;
use crate::sample::Source;

/// The jobs of one lane with the moment each is due, counted from the start of the watch.
#[derive(Debug, Default)]
pub(super) struct Timetable {
    by_slot: BTreeMap<Slot, Arc<Job>>,
    slots: HashMap<Source, Slot>,
}

/// When a job is due, and its place in the plan, by which jobs that are due together are read.
type Slot = (Duration, usize);

impl Timetable {
    /// Takes over a new set of jobs: those that were there before keep their slots, new ones are due at once.
    pub(super) fn replace(&mut self, jobs: impl Iterator<Item = Arc<Job>>, now: Duration) {
        let before = std::mem::take(self);
        for (place, job) in jobs.enumerate() {
            let kept = before
                .slots
                .get(&job.source)
                .and_then(|slot| Some((slot.0, before.by_slot.get(slot)?)))
                .filter(|(_, known)| known.is_same(&job));
            let due = kept.as_ref().map_or(now, |(due, _)| *due);
            let job = kept.map_or(job, |(_, known)| Arc::clone(known));
            self.enter((due, place), job);
        }
    }

    /// Makes every job due, for a server that has just come back.
    pub(super) fn hurry(&mut self, now: Duration) {
        for ((due, place), job) in std::mem::take(&mut self.by_slot) {
            self.enter((due.min(now), place), job);
        }
    }

    /// When the next job is due; `None` without jobs.
    pub(super) fn next(&self) -> Option<Duration> {
        let (due, _) = self.by_slot.keys().next()?;
        Some(*due)
    }

    /// The job that has been due longest, if any is.
    pub(super) fn due(&self, now: Duration) -> Option<Arc<Job>> {
        self.all_due(now).next().map(Arc::clone)
    }

    /// Every job that is due in the same place as `first`, itself included.
    pub(super) fn due_with(&self, first: &Job, now: Duration) -> Vec<Arc<Job>> {
        let due = self.all_due(now);
        due.filter(|job| job.place() == first.place())
            .map(Arc::clone)
            .collect()
    }

    /// Notes that a job was read and is next due in its first slot to come.
    pub(super) fn done(&mut self, done: &Job, now: Duration) {
        let Some(slot) = self.slots.get(&done.source).copied() else {
            return;
        };
        if let Some(job) = self.by_slot.remove(&slot) {
            let due = next_slot(now, job.interval(), offset(&job, job.interval()));
            self.enter((due, slot.1), job);
        }
    }

    fn all_due(&self, now: Duration) -> impl Iterator<Item = &Arc<Job>> {
        self.by_slot.range(..=(now, usize::MAX)).map(|(_, job)| job)
    }

    fn enter(&mut self, slot: Slot, job: Arc<Job>) {
        self.slots.insert(job.source.clone(), slot);
        self.by_slot.insert(slot, job);
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

/// A moment of the interval that depends on nothing but what is read. Visits cost a login: what is read in one place has
/// its moment in common, so that a database is entered once for everything that is due there.
fn offset(job: &Job, interval: Duration) -> Duration {
    let mut hasher = DefaultHasher::new();
    job.source.server.hash(&mut hasher);
    if job.is_quick() {
        job.source.collector.hash(&mut hasher);
    } else {
        job.place().hash(&mut hasher);
    }
    Duration::from_millis(hasher.finish() % (interval.as_millis() as u64).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::{Plan, Run};
    use crate::server::Lane;

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// One job for each of these databases, every ten seconds.
    fn jobs(names: &[&str]) -> Vec<Arc<Job>> {
        let text = "name: c\ndoc: Counts.\ninterval: 10s\nqueries: [{sql: SELECT 1 AS n}]\nmetrics: {test_n: {from: n, help: N.}}\n";
        let files = [("c.yml".to_owned(), text.to_owned())];
        let own = crate::collectors::load(&files).unwrap();
        let collector = own.iter().find(|collector| &*collector.name == "c");
        let run = Run {
            collector: Arc::clone(collector.unwrap()),
            sql: "SELECT 1 AS n".into(),
            aliases: false,
            interval: ms(10_000),
            timeout: ms(1_000),
            lane: Lane::Visit,
            databases: names.iter().map(|&name| name.to_owned()).collect(),
            user: "mon".into(),
        };
        let plan = Plan {
            runs: vec![run],
            omitted: Vec::new(),
        };
        Job::all("s", &plan)
    }

    fn databases(jobs: &[Arc<Job>]) -> Vec<&str> {
        jobs.iter()
            .filter_map(|job| job.database.as_deref())
            .collect()
    }

    #[test]
    fn what_is_new_is_due_at_once_and_what_is_known_keeps_its_slot() {
        let mut table = Timetable::default();
        assert_eq!((table.next(), table.due(ms(0)).is_none()), (None, true));
        table.replace(jobs(&["b", "a"]).into_iter(), ms(5));
        let first = table.due(ms(5)).unwrap();
        assert_eq!(
            first.database.as_deref(),
            Some("b"),
            "in the order of the plan"
        );
        assert_eq!(databases(&table.due_with(&first, ms(5))), ["b"]);
        table.done(&first, ms(6));
        let slot = next_slot(ms(6), ms(10_000), offset(&first, ms(10_000)));
        assert_eq!(table.next(), Some(ms(5)), "the other is still due");

        table.replace(jobs(&["c", "b"]).into_iter(), ms(7));
        let new = table.due(ms(7)).unwrap();
        assert_eq!(new.database.as_deref(), Some("c"));
        table.done(&new, ms(7));
        let of_new = next_slot(ms(7), ms(10_000), offset(&new, ms(10_000)));
        assert_eq!(table.next(), Some(slot.min(of_new)));
        assert!(table.due(ms(7)).is_none());

        table.hurry(ms(8));
        let due = [table.due(ms(8)).unwrap()];
        assert_eq!((table.next(), databases(&due)), (Some(ms(8)), vec!["c"]));
        let gone = jobs(&["gone"]);
        table.done(&gone[0], ms(9));
        assert_eq!(table.slots.len(), 2);
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
    fn databases_are_spread_over_the_interval_and_entered_once_for_all_that_is_due() {
        let interval = ms(15_000);
        let names: Vec<String> = (0..100).map(|number| number.to_string()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let jobs = jobs(&names);
        let offsets = jobs.iter().map(|job| offset(job, interval));
        let early = offsets.filter(|offset| *offset < interval / 2).count();
        assert!(
            (30..=70).contains(&early),
            "{early} of 100 in the first half"
        );
        for job in &jobs {
            let seldom = next_slot(ms(0), interval * 20, offset(job, interval * 20));
            assert_eq!(
                seldom.as_millis() % 15_000,
                offset(job, interval).as_millis()
            );
        }
    }
}
