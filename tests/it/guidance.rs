//! The scripts and procedures of `docs/backups`, run as a user would, on real servers, also while things go wrong.

mod archive;
mod blocks;
mod buckets;
mod dumps;
mod job;
mod physical;
mod reading;
mod restore;
mod retention;

use std::fs;
use std::process::Command;

use super::harness::{Postgres, tool};
use job::folder;

/// What the databases of these tests hold.
const SCHEMA: &str = "
CREATE TABLE users (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL UNIQUE);
CREATE TABLE games (id int PRIMARY KEY, player int NOT NULL REFERENCES users, score int DEFAULT 7);
CREATE INDEX games_score ON games (score);
INSERT INTO users (name) SELECT 'user' || g FROM generate_series(1, 500) g;
INSERT INTO games SELECT g, 1 + g % 500, g FROM generate_series(1, 2000) g;
";

const ROWS: &str = "public.games=2000 public.users=500";

/// A server with a database `rachel`.
fn server(major: u32, options: &[&str]) -> Postgres {
    let postgres = Postgres::with(major, options);
    postgres.sql("postgres", "CREATE DATABASE rachel");
    postgres.sql("rachel", SCHEMA);
    postgres
}

#[test]
fn shellcheck_has_nothing_to_say() {
    let scripts = fs::read_dir(folder()).unwrap().flatten();
    let scripts = scripts.map(|entry| entry.path());
    let scripts: Vec<_> = scripts
        .filter(|path| path.extension().is_some_and(|ending| ending == "sh"))
        .collect();
    assert!(scripts.len() >= 10, "{scripts:?}");
    let output = Command::new(tool("shellcheck"))
        .arg("-x")
        .args(&scripts)
        .current_dir(folder())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}

/// Every script is told of, and every line for cron names scripts that there are.
#[test]
fn the_readme_knows_every_script() {
    let text = fs::read_to_string(folder().join("README.md")).unwrap();
    for entry in fs::read_dir(folder()).unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap();
        assert!(name == "README.md" || text.contains(&name), "{name}");
    }
    let (_, cron) = text.split_once("```cron\n").unwrap();
    let (cron, _) = cron.split_once("```").unwrap();
    let named = cron.split_whitespace().filter(|word| word.ends_with(".sh"));
    let missing: Vec<&str> = named.filter(|name| !folder().join(name).exists()).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
