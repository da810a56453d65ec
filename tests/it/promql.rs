//! PromQL: Prometheus' own test scripts, where they are at hand, and scripts of ours in the same language.

mod points;
mod run;
mod script;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::harness;
use run::Verdict;

/// Cases that are known not to pass, by file and line, and why.
const NOT_YET: &[(&str, usize, &str)] = &[(
    "aggregators.test",
    481,
    "a string that is no UTF-8 is refused by the parser, in other words",
)];

#[test]
fn our_scripts_pass() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/promql");
    check(&folder);
}

#[test]
fn prometheus_scripts_pass() {
    if let Some(folder) = harness::fixtures("PROMQLTEST_DIR") {
        check(&folder);
    }
}

/// Runs every script of a folder and prints how each went.
fn check(folder: &Path) {
    let mut failures = Vec::new();
    for file in scripts(folder) {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&file).unwrap();
        let verdicts = run::run(script::parse(&text));
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for (line, query, verdict) in verdicts {
            let kind = match verdict {
                Verdict::Passed => "passed".into(),
                Verdict::Skipped(reason) => {
                    format!("skipped ({reason})")
                }
                Verdict::Failed(problem) => {
                    let known = NOT_YET.iter().find(|(f, l, _)| *f == name && *l == line);
                    match known {
                        Some((_, _, reason)) => format!("not yet ({reason})"),
                        None => {
                            failures.push(format!("{name}:{line}: {query}\n    {problem}"));
                            "failed".into()
                        }
                    }
                }
            };
            *counts.entry(kind).or_default() += 1;
        }
        let counts: Vec<String> = counts
            .iter()
            .map(|(kind, n)| format!("{n} {kind}"))
            .collect();
        println!("{name}: {}", counts.join(", "));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn scripts(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|end| end == "test"));
    files.sort();
    assert!(!files.is_empty(), "no scripts in {}", folder.display());
    files
}
