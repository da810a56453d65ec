//! `make bench`: what it costs to judge backups: how fast they are read to their end, beside the tools a person would
//! use, in how much memory, and how long very many of them take to list. `cargo bench --bench backup -- verification` runs
//! the scenes alone whose name contains the word.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    unreachable_pub
)]

mod artefact;
mod child;
#[path = "../run/conditions.rs"]
mod conditions;
mod listing;
#[path = "../run/scenes.rs"]
mod scenes;
mod verification;

// The tests' harness finds the tools; the benchmark needs only a part of it.
#[allow(dead_code, unused_imports)]
#[path = "../../tests/it"]
mod it {
    pub mod harness;
}

fn main() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    // The bench runs itself to measure in a process of its own.
    if let Some(source) = std::env::args().skip_while(|word| word != "look").nth(1) {
        return listing::look(&source);
    }
    // `cargo test --all-targets` builds and runs benchmarks too, but only `cargo bench` says so.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    print_conditions();
    if scenes::wanted("verification") {
        verification::run();
    }
    if scenes::wanted("listing") {
        listing::run();
    }
}

fn print_conditions() {
    println!(
        "Conditions: {}, load average {} before the start, release binary of pgvigil {}.\n",
        conditions::processors(),
        conditions::load(),
        env!("CARGO_PKG_VERSION"),
    );
}
