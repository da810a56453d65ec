//! Which databases of a server let pgvigil in. Takes facts and the outcome of each visit; hands on samples.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::sample::{Metric, Sample};
use crate::server::Facts;

pub(super) const DATABASES: Metric = Metric::gauge(
    "pgvigil_databases",
    "Databases by state, without templates: watched, refused (at the last visit, or nobody may enter) or excluded by the settings.",
);
pub(super) const DATABASE_UP: Metric = Metric::gauge(
    "pgvigil_database_up",
    "Whether the database let pgvigil in at the last visit; absent before the first.",
);

/// What came of the last visit to each database. Every call locks for itself.
#[derive(Debug, Default)]
pub(super) struct Admission(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    up: BTreeMap<String, bool>,
    /// How many are to be visited or closed, and how many are excluded; unknown before the first plan.
    known: Option<(usize, usize)>,
}

impl Admission {
    /// Takes what is known without a visit, and forgets databases that are gone.
    pub(super) fn plan(&self, facts: &Facts) {
        let mut state = self.locked();
        let known = facts.databases.len() + facts.closed.len();
        state.known = Some((known, facts.excluded));
        state
            .up
            .retain(|database, _| facts.databases.contains(database));
        let closed = facts.closed.iter().cloned();
        state.up.extend(closed.map(|database| (database, false)));
    }

    /// Notes whether a visit could begin.
    pub(super) fn visited(&self, database: &str, up: bool) {
        self.locked().up.insert(database.to_owned(), up);
    }

    /// The count of each state, and each database that was visited or is closed.
    pub(super) fn samples(&self) -> Vec<Sample> {
        let state = self.locked();
        let refused = state.up.values().filter(|up| !**up).count();
        let counts = state.known.into_iter().flat_map(|(known, excluded)| {
            [
                ("watched", known.saturating_sub(refused)),
                ("refused", refused),
                ("excluded", excluded),
            ]
        });
        let counts =
            counts.map(|(state, count)| DATABASES.sample(&[("state", state)], count as f64));
        let each = state.up.iter().map(|(database, up)| {
            DATABASE_UP.sample(&[("database", database)], f64::from(u8::from(*up)))
        });
        counts.chain(each).collect()
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
