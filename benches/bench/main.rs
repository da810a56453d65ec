//! `make bench`: what pgvigil costs itself and the database it watches, measured on a real PostgreSQL with the release
//! binary, and beside it what postgres_exporter costs when it is installed. Prints tables in Markdown with their
//! conditions. `cargo bench --bench bench -- 10000` runs the scenes alone whose name contains the word.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    unreachable_pub
)]

#[path = "../run/conditions.rs"]
mod conditions;
mod figures;
mod process;
mod scene;
#[path = "../run/scenes.rs"]
mod scenes;
mod servers;
mod subject;

// The tests' harness starts the servers; the benchmark needs only a part of it.
#[allow(dead_code, unused_imports)]
#[path = "../../tests/it"]
mod it {
    pub mod harness;
}

use std::fs;
use std::time::{Duration, Instant};

use figures::Figures;
use scene::Scene;
use subject::Subject;

/// A shorter interval than the default, so that what is read only each twentieth cycle has its share in a minute.
pub const INTERVAL: Duration = Duration::from_secs(3);
pub const CYCLES: u32 = 20;

#[tokio::main]
async fn main() {
    // `cargo test --all-targets` builds and runs benchmarks too, but only `cargo bench` says so.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let _ = rustls::crypto::ring::default_provider().install_default();
    let begun = Instant::now();
    print_conditions();
    Figures::print_head();
    for (name, tables, databases) in [
        ("3 tables", 3, 1),
        ("1000 tables", 1_000, 1),
        ("100 databases", 20, 100),
        ("10000 tables", 10_000, 1),
    ] {
        if scenes::wanted(name) {
            run(name, tables, databases).await;
        }
    }
    if scenes::wanted("200 servers") {
        servers::run(200).await;
    }
    println!("\nTook {:.0} s.", begun.elapsed().as_secs_f64());
}

async fn run(name: &str, tables: u32, databases: u32) {
    let scene = Scene::build(tables, databases).await;
    let ours = figures::take(&scene, &Subject::pgvigil(&scene, "").await).await;
    ours.print(&format!("pgvigil, {name}"));
    if tables < 1_000 {
        return;
    }
    if tables >= 10_000 {
        let uncapped = Subject::pgvigil(&scene, "max_series: 0").await;
        let uncapped = figures::take(&scene, &uncapped).await;
        uncapped.print(&format!("pgvigil, {name}, no caps"));
    }
    match Subject::exporter(&scene).await {
        Some(exporter) => {
            let theirs = figures::take(&scene, &exporter).await;
            theirs.print(&format!("{}, {name}", exporter.name));
            ours.print_ratio(&theirs);
        }
        None => println!("| postgres_exporter is not installed: nothing to compare with |"),
    }
}

fn print_conditions() {
    let size = fs::metadata(env!("CARGO_BIN_EXE_pgvigil")).unwrap().len();
    println!(
        "Conditions: {}, load average {} before the start, everything on one machine.",
        conditions::processors(),
        conditions::load()
    );
    println!(
        "pgvigil {}, PostgreSQL {}; binary {:.1} MB, stripped. {CYCLES} cycles of {} s, one scrape in each.\n",
        env!("CARGO_PKG_VERSION"),
        scene::MAJOR,
        size as f64 / 1e6,
        INTERVAL.as_secs(),
    );
}
