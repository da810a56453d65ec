//! Backups in buckets: real servers of three protocols, and one that misbehaves.

mod azure;
mod command;
mod google;
mod misbehaving;
mod s3;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use pgvigil::backup::{self, Backup, Record, Records, Settings};
use pgvigil::document::{Reader, parse};
use pgvigil::sample::Timestamp;
use pgvigil::scrape::Board;
use pgvigil::store::{self, Store};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::harness::{Postgres, Scratch, eventually_async};

const DEADLINE: Duration = Duration::from_secs(60);
const PLAIN: &str = "--\n-- PostgreSQL database dump\n--\n\n-- Dumped from database version 15.18\n\n--\n-- PostgreSQL database dump complete\n--\n\n";

fn settings(source: &str) -> Vec<Settings> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let text = format!("backups: [{{name: nightly, server: shop, {source}}}]");
    let reader = Reader::new(None);
    let settings = reader.read(&parse("test", &text).unwrap(), Settings::read);
    assert_eq!(reader.problems(), []);
    settings
}

/// What stands in the way of a look, in its words; nothing when it succeeds.
async fn obstacle(source: &str) -> Option<(String, &'static str)> {
    let settings = settings(source);
    let looked = tokio::task::spawn_blocking(move || backup::look(&settings[0])).await;
    let obstacle = looked.unwrap().err()?;
    Some((obstacle.to_string(), obstacle.problem()))
}

/// A source that is watched.
struct Watched {
    records: Arc<Records>,
    stop: CancellationToken,
    task: JoinHandle<()>,
    _state: Scratch,
}

impl Watched {
    fn start(source: &str) -> Watched {
        let settings = settings(source);
        let limits = store::Settings {
            retention: Duration::from_secs(3600),
            max_bytes: 1 << 20,
        };
        let store = Arc::new(Store::new(&limits, Timestamp::now()));
        let board = Arc::new(Board::new(store, false));
        let (state, stop, records) = (Scratch::new(), CancellationToken::new(), Arc::default());
        let (dir, stopped, told) = (state.path().to_owned(), stop.clone(), Arc::clone(&records));
        let task = tokio::spawn(async move {
            backup::run(settings, board, told, &dir, stopped).await;
        });
        Watched {
            records,
            stop,
            task,
            _state: state,
        }
    }

    /// Waits until what is known is as wanted; says what is known when it never is.
    async fn until<T>(&self, what: &str, wanted: impl Fn(&Record) -> Option<T>) -> T {
        let wanted = || async { self.records.all().first().and_then(|record| wanted(record)) };
        let waited = tokio::time::timeout(DEADLINE, eventually_async(what, DEADLINE * 2, wanted));
        waited.await.unwrap_or_else(|_| {
            let records = self.records.all();
            let facts = records.first().map(|record| record.facts.clone());
            panic!("not within {DEADLINE:?}: {what}: {facts:#?}")
        })
    }

    /// Waits until every backup that is seen was read; gives them by name.
    async fn read(&self, count: usize) -> Vec<Backup> {
        let mut backups = self
            .until(&format!("{count} backups are read"), |record| {
                let seen = &record.facts.sighting.as_ref()?.backups;
                let is_done = seen.len() == count && seen.iter().all(|b| b.state.is_judged());
                is_done.then(|| seen.clone())
            })
            .await;
        backups.sort_by(|a, b| a.id.cmp(&b.id));
        backups
    }

    async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}

/// Dumps of a small database: the custom archive, and the files of a directory dump by name.
pub(super) struct Dumps {
    pub(super) custom: Vec<u8>,
    folder: Vec<(String, Vec<u8>)>,
}

impl Dumps {
    pub(super) fn take() -> Dumps {
        let (postgres, scratch) = (Postgres::start(15), Scratch::new());
        postgres.sql(
            "postgres",
            "CREATE TABLE t AS SELECT i FROM generate_series(1, 100) AS i; CREATE TABLE empty (i int)",
        );
        let dump = |form: &str, to: &Path| {
            let mut command = postgres.command("pg_dump");
            let made = command.arg(form).arg("-f").arg(to).arg("postgres").status();
            assert!(made.unwrap().success());
        };
        let (custom, folder) = (scratch.join("x.dump"), scratch.join("folder"));
        dump("-Fc", &custom);
        dump("-Fd", &folder);
        let entries = std::fs::read_dir(&folder).unwrap();
        let file = |entry: std::io::Result<std::fs::DirEntry>| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read(path).unwrap())
        };
        Dumps {
            custom: std::fs::read(custom).unwrap(),
            folder: entries.map(file).collect(),
        }
    }

    /// The custom archive as if it were a year older: the year follows compression, seconds, minutes, hours, day and
    /// month, each a sign and four bytes.
    pub(super) fn old(&self) -> Vec<u8> {
        let mut old = self.custom.clone();
        old[11 + 6 * 5 + 1] -= 1;
        old
    }
}
