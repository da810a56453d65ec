//! Backups in buckets: real servers of three protocols, and one that misbehaves.

mod azure;
mod command;
mod google;
mod misbehaving;
mod s3;

use std::path::Path;
use std::time::Duration;

use pgvigil::backup::{self, Backup, Proof, State};

use super::watched::{Watched, settings};
use crate::harness::{Postgres, Scratch};

const DEADLINE: Duration = Duration::from_secs(60);
const PLAIN: &str = "--\n-- PostgreSQL database dump\n--\n\n-- Dumped from database version 15.18\n\n--\n-- PostgreSQL database dump complete\n--\n\n";

fn text(source: &str) -> String {
    format!("backups: [{{name: nightly, server: shop, {source}}}]")
}

/// What stands in the way of a look, in its words; nothing when it succeeds.
async fn obstacle(source: &str) -> Option<(String, &'static str)> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let settings = settings(&text(source));
    let survey = || {
        let state = Scratch::new();
        backup::survey(&settings[0], state.path(), false)
    };
    let looked = tokio::task::block_in_place(survey);
    let obstacle = looked.facts.obstacle?;
    Some((obstacle.to_string(), obstacle.problem()))
}

fn watch(source: &str) -> Watched {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Watched::alone(&text(source))
}

/// The dumps of a source: one that is whole, one that is cut short, and a folder.
async fn dumps_of(source: &str) -> Vec<Backup> {
    let watched = watch(source);
    let seen = watched.read(3).await;
    watched.stop().await;
    let states: Vec<_> = seen
        .iter()
        .map(|b| (b.id.as_str(), b.state, b.proof))
        .collect();
    assert_eq!(
        states,
        [
            ("a.dump", State::Done, Proof::Whole),
            ("b.dump", State::Damaged, Proof::Opened),
            ("dir.dump", State::Done, Proof::Whole)
        ]
    );
    seen
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
