//! The collected dumps: every good one is good, every bad one is bad in its own words.

use std::path::PathBuf;

use pgvigil::backup::{Proof, Trouble, report, verify};

use super::corpus::rows;
use crate::harness;

const ROWS: &str = "public.Odd Name=3 public.empty_t=0 public.games=200 public.users=40";

fn dumps() -> Option<Vec<PathBuf>> {
    let folder = harness::fixtures("BACKUP_FIXTURES")?.join("dumps");
    let entries = std::fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    Some(paths)
}

#[test]
fn every_good_one_is_good() {
    let good = |path: &PathBuf| {
        path.file_name()
            .unwrap()
            .to_string_lossy()
            .starts_with("pg")
    };
    for path in dumps().unwrap_or_default().iter().filter(|path| good(path)) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let verdict = verify(path);
        assert!(verdict.is_good(), "{name}: {}", report(&verdict));
        let is_wrapped = [".gz", ".zst", ".lz4", ".xz", ".bz2"]
            .iter()
            .any(|ending| name.ends_with(ending));
        let proof = if is_wrapped {
            Proof::Summed
        } else {
            Proof::Whole
        };
        assert_eq!(verdict.proof, proof, "{name}");
        assert_eq!(verdict.is_globals, name.contains("globals"), "{name}");
        let has_rows = !name.contains("schema-only") && !name.contains("globals");
        assert_eq!(rows(&verdict), if has_rows { ROWS } else { "" }, "{name}");
        if !name.contains("sql") || name.contains("guide") {
            assert_eq!(verdict.database.as_deref(), Some("tiny"), "{name}");
            let hour = if name.contains("tokyo") { "17" } else { "08" };
            let made = verdict.made.unwrap().rfc3339();
            assert!(
                made.starts_with(&format!("2026-11-23T{hour}:16:5")),
                "{name}: {made}"
            );
        }
    }
}

#[test]
fn every_bad_one_is_bad_in_its_own_words() {
    let Some(paths) = dumps() else { return };
    let cases = [
        (
            "bad-footer-text-in-data.sql",
            Trouble::HalfWritten,
            "stops in the rows of `public.Odd Name`",
        ),
        (
            "bad-guide-killed.sql.gz",
            Trouble::HalfWritten,
            "stops in the data of `public.games`",
        ),
        (
            "bad-guide-no-database.sql.gz",
            Trouble::NothingInside,
            "holds nothing: a sound gzip file",
        ),
        (
            "bad-permission-denied.sql.gz",
            Trouble::HalfWritten,
            "stops in the rows of `public.secrets`",
        ),
    ];
    for (name, trouble, words) in cases {
        let path = paths.iter().find(|path| path.ends_with(name)).unwrap();
        let verdict = verify(path);
        assert_eq!(verdict.trouble, Some(trouble), "{name}");
        assert!(
            verdict.problem.as_deref().unwrap().starts_with(words),
            "{name}: {}",
            report(&verdict)
        );
    }
}
