//! `make bench`: what it costs to judge backups: how fast they are read to their end, beside the tools a person would
//! use, and in how much memory. `cargo bench --bench backup -- verification` runs the scenes alone whose name contains
//! the word.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    unreachable_pub
)]

mod artefact;
mod child;
mod verification;

// The tests' harness finds the tools; the benchmark needs only a part of it.
#[allow(dead_code, unused_imports)]
#[path = "../../tests/it"]
mod it {
    pub mod harness;
}

use std::fs;

fn main() {
    // `cargo test --all-targets` builds and runs benchmarks too, but only `cargo bench` says so.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    print_conditions();
    if wanted("verification") {
        verification::run();
    }
}

/// Whether a scene is named on the command line, or none is.
fn wanted(name: &str) -> bool {
    let mut words = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with("--"))
        .peekable();
    words.peek().is_none() || words.any(|word| name.contains(&word))
}

fn print_conditions() {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let models: Vec<&str> = cpus
        .lines()
        .filter(|line| line.starts_with("model name"))
        .filter_map(|line| line.split_once(": "))
        .map(|(_, model)| model)
        .collect();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!(
        "Conditions: {} x {}, load average {} before the start, release binary of pgvigil {}.\n",
        models.len(),
        models.first().unwrap_or(&"?"),
        load.split(' ').next().unwrap_or("?"),
        env!("CARGO_PKG_VERSION"),
    );
}
