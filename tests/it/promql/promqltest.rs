//! Runs test scripts in the language of Prometheus' own: those of Prometheus, where they are at hand, and ours.

mod again;
mod case;
mod expect;
mod points;
mod run;
mod script;
mod special;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::super::harness;
use run::{Done, Verdict};

#[test]
fn our_scripts_pass() {
    check(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/promql"));
}

#[test]
fn prometheus_scripts_pass() {
    if let Some(folder) = harness::fixtures("PROMQLTEST_DIR") {
        check(&folder);
    }
}

/// Runs every script under a folder and prints how each went, and all of them.
fn check(folder: &Path) {
    let files = scripts(folder);
    assert!(!files.is_empty(), "no scripts in {}", folder.display());
    let (mut failures, mut sum) = (Vec::new(), Counts::default());
    for file in files {
        let name = file.strip_prefix(folder).unwrap().display().to_string();
        let text = std::fs::read(&file).unwrap();
        let done = run::run(script::parse(&String::from_utf8_lossy(&text)));
        let mut counts = Counts::default();
        for Done {
            line,
            text,
            verdict,
        } in done
        {
            counts.add(&verdict);
            match verdict {
                Verdict::Passed => {}
                Verdict::Skipped(reason) => {
                    println!("  skipped ({}): {name}:{line}: {text}", reason.name());
                }
                Verdict::Failed(problem) => {
                    failures.push(format!("{name}:{line}: {text}\n    {problem}"));
                }
            }
        }
        println!("{name}: {counts}");
        sum.merge(counts);
    }
    println!("in sum: {sum}");
    assert!(
        failures.is_empty(),
        "{} failed:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

/// Every `*.test` under a folder, in the order of their names.
fn scripts(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let is_script = |path: &Path| path.extension().is_some_and(|end| end == "test");
    let found = paths.into_iter().flat_map(|path| match path.is_dir() {
        true => scripts(&path),
        false if is_script(&path) => vec![path],
        false => Vec::new(),
    });
    found.collect()
}

/// How many cases went which way.
#[derive(Default)]
struct Counts {
    passed: usize,
    failed: usize,
    skipped: BTreeMap<&'static str, usize>,
}

impl Counts {
    fn add(&mut self, verdict: &Verdict) {
        match verdict {
            Verdict::Passed => self.passed += 1,
            Verdict::Failed(_) => self.failed += 1,
            Verdict::Skipped(reason) => *self.skipped.entry(reason.name()).or_default() += 1,
        }
    }

    fn merge(&mut self, other: Counts) {
        self.passed += other.passed;
        self.failed += other.failed;
        for (reason, count) in other.skipped {
            *self.skipped.entry(reason).or_default() += count;
        }
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let skipped: usize = self.skipped.values().sum();
        write!(
            f,
            "{} passed, {} failed, {skipped} skipped",
            self.passed, self.failed
        )?;
        let reasons: Vec<String> = self
            .skipped
            .iter()
            .map(|(reason, count)| format!("{count} {reason}"))
            .collect();
        if !reasons.is_empty() {
            write!(f, " ({})", reasons.join(", "))?;
        }
        Ok(())
    }
}
