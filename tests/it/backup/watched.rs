//! Sources that are watched, as the board and the records show them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use pgvigil::backup::{self, Backup, Record, Records, Reports, Settings};
use pgvigil::document::{Reader, parse};
use pgvigil::sample::Timestamp;
use pgvigil::scrape::Board;
use pgvigil::store::{self, Store};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::harness::{Scratch, eventually_async};

const DEADLINE: Duration = Duration::from_secs(60);

pub(super) struct Watched {
    pub(super) board: Arc<Board>,
    pub(super) records: Arc<Records>,
    stop: CancellationToken,
    task: JoinHandle<()>,
    /// Removed with it, where it is its own.
    state: Option<Scratch>,
}

/// The sources of a configuration.
pub(super) fn settings(text: &str) -> Vec<Settings> {
    let reader = Reader::new(None);
    let settings = reader.read(&parse("test", text).unwrap(), Settings::read);
    assert_eq!(reader.problems(), []);
    settings
}

impl Watched {
    /// Over a configuration.
    pub(super) fn over(text: &str, state_dir: &Path) -> Watched {
        let settings = settings(text);
        let limits = store::Settings {
            retention: Duration::from_secs(3600),
            max_bytes: 1 << 20,
        };
        let store = Arc::new(Store::new(&limits, Timestamp::now()));
        let board = Arc::new(Board::new(store, false));
        let (records, stop) = (Arc::<Records>::default(), CancellationToken::new());
        let (shown, kept) = (board.clone(), records.clone());
        let (stopped, state_dir) = (stop.clone(), state_dir.to_owned());
        let task = tokio::spawn(async move {
            let reports = Reports::new(&state_dir);
            backup::run(settings, shown, kept, reports, &state_dir, stopped).await;
        });
        Watched {
            board,
            records,
            stop,
            task,
            state: None,
        }
    }

    /// The same with a state directory of its own.
    pub(super) fn alone(text: &str) -> Watched {
        let state = Scratch::new();
        let mut watched = Watched::over(text, state.path());
        watched.state = Some(state);
        watched
    }

    /// A value by metric (without `pg_backup_`) and one label's value, which may be empty.
    pub(super) fn value(&self, metric: &str, label: &str) -> Option<f64> {
        let current = self.board.current();
        let mut samples = current.iter().flat_map(|(_, samples)| samples.iter());
        let name = format!("pg_backup_{metric}");
        let found = samples.find(|sample| {
            sample.family.name.as_ref() == name
                && (label.is_empty() || sample.labels.iter().any(|(_, value)| value == label))
        });
        found.map(|sample| sample.value)
    }

    pub(super) async fn until(&self, what: &str, expected: &[(&str, &str, f64)]) {
        let reached = || async {
            let holds = |(metric, label, value): &(&str, &str, f64)| {
                // A problem that is not there has no series.
                let none = (*metric == "problem").then_some(0.0);
                self.value(metric, label).or(none) == Some(*value)
            };
            expected.iter().all(holds).then_some(())
        };
        eventually_async(what, DEADLINE, reached).await;
    }

    /// Waits until what is known of a source is as wanted; says what is known when it never is.
    pub(super) async fn known<T>(&self, what: &str, wanted: impl Fn(&Record) -> Option<T>) -> T {
        let wanted = || async { self.records.all().iter().find_map(|record| wanted(record)) };
        let waited = tokio::time::timeout(DEADLINE, eventually_async(what, DEADLINE * 2, wanted));
        waited.await.unwrap_or_else(|_| {
            let records = self.records.all();
            let facts = records.first().map(|record| record.facts.clone());
            panic!("not within {DEADLINE:?}: {what}: {facts:#?}")
        })
    }

    /// Waits until every backup that is seen was read; gives them by name.
    pub(super) async fn read(&self, count: usize) -> Vec<Backup> {
        let mut backups = self
            .known(&format!("{count} backups are read"), |record| {
                let seen = &record.facts.sighting.as_ref()?.backups;
                let is_done = seen.len() == count && seen.iter().all(|b| b.state.is_judged());
                is_done.then(|| seen.clone())
            })
            .await;
        backups.sort_by(|a, b| a.id.cmp(&b.id));
        backups
    }

    pub(super) async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}
