//! `make bench`: what queries, ingestion and snapshots take, and beside it what a Prometheus 3 takes over the same samples
//! in the same run. Criterion measures; a table in Markdown tells the ratios, with their conditions.
//! `cargo bench --bench promql -- range` runs the groups alone whose name contains the word.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    unreachable_pub
)]

mod asked;
#[path = "../run/conditions.rs"]
mod conditions;
mod kept;
mod ours;
mod scene;
mod table;
mod theirs;

// The tests' harness starts the servers; the benchmark needs only a part of it.
#[allow(dead_code, unused_imports)]
#[path = "../../tests/it"]
mod it {
    pub mod harness;
}

use std::time::Duration;

use criterion::Criterion;
use table::Table;

fn main() {
    // `cargo test --all-targets` builds and runs benchmarks too, but only `cargo bench` says so.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let _ = rustls::crypto::ring::default_provider().install_default();
    let results = tempfile::tempdir().unwrap();
    let mut criterion = Criterion::default()
        .output_directory(results.path())
        .sample_size(10)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3));
    let mut table = Table::new(results.path());
    if wanted("range") {
        asked::ranges(&mut criterion, &mut table);
    }
    for series in [20_000, 100_000] {
        if wanted(&format!("rules {series}")) {
            asked::rules_over(&mut criterion, &mut table, series);
        }
    }
    if wanted("ingestion") {
        kept::ingestion(&mut criterion, &mut table);
    }
    if wanted("snapshot") {
        kept::snapshots(&mut criterion, &mut table);
    }
    if wanted("bytes") {
        kept::bytes_per_sample(&mut table);
    }
    if wanted("day") {
        kept::a_day(&mut table);
    }
    table.print();
}

/// Whether a group is named on the command line, or none is.
fn wanted(name: &str) -> bool {
    let mut words = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with("--"))
        .peekable();
    words.peek().is_none() || words.any(|word| name.contains(&word))
}
