//! How often the collectors of one server are read, so that their statements stay within the load budget.
//! Takes how long each reading took; hands on by how much each interval is multiplied.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::job::Job;
use crate::collectors::{Cost, Settings, total, widen};
use crate::sample::Source;

/// How much the last reading counts against those before it.
const WEIGHT: f64 = 0.5;

/// The first reading may have found everything cold, and none may follow it for long.
const TRUSTED: u32 = 2;

/// What the collectors of one server cost. Every call locks for itself.
#[derive(Debug, Default)]
pub(super) struct Pace {
    budget: Option<f64>,
    interval: Duration,
    known: Mutex<BTreeMap<Arc<str>, Known>>,
}

/// A collector, in all databases.
#[derive(Debug)]
struct Known {
    databases: BTreeMap<Arc<str>, Smoothed>,
    interval: Duration,
    may_widen: bool,
    factor: u32,
}

#[derive(Debug, Clone, Copy, Default)]
struct Smoothed {
    seconds: f64,
    readings: u32,
}

impl Pace {
    pub(super) fn new(settings: &Settings) -> Self {
        Pace {
            budget: settings.load_budget,
            interval: settings.interval,
            known: Mutex::default(),
        }
    }

    /// Forgets what is not planned any more.
    pub(super) fn keep(&self, planned: &HashSet<&Source>) {
        let kept: HashSet<(&str, &str)> = planned
            .iter()
            .map(|source| (&*source.collector, &*source.database))
            .collect();
        self.locked().retain(|collector, known| {
            known
                .databases
                .retain(|database, _| kept.contains(&(&**collector, &**database)));
            !known.databases.is_empty()
        });
    }

    /// Notes how long a reading took; says in the log whose interval begins or ends to be a longer one.
    pub(super) fn note(&self, job: &Job, took: Duration) {
        let source = &job.source;
        let mut known = self.locked();
        let collector = known
            .entry(Arc::clone(&source.collector))
            .or_insert_with(|| Known {
                databases: BTreeMap::new(),
                interval: job.run.interval,
                may_widen: job.run.may_widen(self.interval),
                factor: 1,
            });
        let database = collector.databases.entry(Arc::clone(&source.database));
        database.or_default().note(took);
        let Some(budget) = self.budget else {
            return;
        };
        let costs: Vec<Cost> = known.values().map(Known::cost).collect();
        let factors = widen(&costs, budget);
        for ((name, known), factor) in known.iter_mut().zip(factors) {
            let before = std::mem::replace(&mut known.factor, factor);
            say(&source.server, name, known, before);
        }
    }

    /// By how much the interval of a job is multiplied.
    pub(super) fn factor(&self, job: &Job) -> u32 {
        let known = self.locked();
        known
            .get(&job.source.collector)
            .map_or(1, |known| known.factor)
    }

    /// The share of a core that all statements take together at the intervals in force.
    pub(super) fn load(&self) -> f64 {
        let known = self.locked();
        let costs: Vec<Cost> = known.values().map(Known::cost).collect();
        let factors: Vec<u32> = known.values().map(|known| known.factor).collect();
        total(&costs, &factors)
    }

    fn locked(&self) -> MutexGuard<'_, BTreeMap<Arc<str>, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn cost(&self) -> Cost {
        let trusted = self.databases.values();
        let seconds: f64 = trusted
            .filter(|smoothed| smoothed.readings >= TRUSTED)
            .map(|smoothed| smoothed.seconds)
            .sum();
        Cost {
            load: seconds / self.interval.as_secs_f64(),
            may_widen: self.may_widen,
            factor: self.factor,
        }
    }
}

impl Smoothed {
    fn note(&mut self, took: Duration) {
        let seconds = took.as_secs_f64();
        self.seconds = match self.readings {
            0 | 1 => seconds,
            _ => self.seconds + (seconds - self.seconds) * WEIGHT,
        };
        self.readings = self.readings.saturating_add(1);
    }
}

fn say(server: &str, collector: &str, known: &Known, before: u32) {
    let interval = known.interval * known.factor;
    if before == 1 && known.factor > 1 {
        tracing::warn!(server.name = %server, collector.name = %collector, ?interval, "collector is read less often: all together take more than `collect.load_budget`");
    } else if before > 1 && known.factor == 1 {
        tracing::info!(server.name = %server, collector.name = %collector, ?interval, "collector is read as often as declared again");
    }
}
