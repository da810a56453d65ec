//! PromQL: Prometheus' own test scripts, where they are at hand, and scripts of ours in the same language.

mod points;
mod run;
mod script;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use pgvigil::promql::{self, Query, Value};
use pgvigil::sample::{Labels, NAME, Source, Sources, Timestamp};
use pgvigil::store::{Settings, Store};

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

/// How long rules take over a store as large as the defaults allow; a debug build is some ten times slower than what
/// users run.
#[test]
fn twenty_thousand_series_are_evaluated_in_no_time() {
    let settings = Settings {
        retention: Duration::from_secs(86_400),
        max_bytes: 1 << 30,
    };
    let store = Store::new(&settings, Timestamp(0));
    let sources = Sources::one(Source::new("rachel", "", "tables"));
    let labels: Vec<Labels> = (0..20_000)
        .map(|n: usize| {
            Labels::new([
                (NAME, format!("pg_metric_{}", n % 20)),
                ("instance", "rachel".into()),
                ("job", "pgvigil".into()),
                ("relname", format!("table_{n}")),
            ])
        })
        .collect();
    for cycle in 0..40 {
        let at = Timestamp(cycle * 15_000);
        let samples = labels.iter().map(|labels| (labels.clone(), cycle as f64));
        store.append(at, &sources, samples);
    }
    let at = Timestamp(39 * 15_000);
    let cases = [
        ("pg_metric_7", 1000),
        ("pg_metric_7 > 100", 0),
        ("sum by (instance) (pg_metric_7) > 0", 1),
        ("rate(pg_metric_7[5m]) > 0", 1000),
        ("pg_metric_7 / on (relname) pg_metric_7", 1000),
        ("{job=\"pgvigil\"}", 20_000),
    ];
    for (text, count) in cases {
        let query = Query::parse(text).unwrap();
        let started = Instant::now();
        let value = promql::instant(&query, &store, at).unwrap();
        let took = started.elapsed();
        println!("{text}: {took:?}");
        assert!(matches!(value, Value::Vector(elements) if elements.len() == count));
        assert!(took < Duration::from_secs(2), "{text} took {took:?}");
    }
}
