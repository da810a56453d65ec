//! `make bench`: what a cycle of rules costs: time, and what is allocated. `cargo bench --bench rules` alone runs it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    unreachable_pub
)]

mod scene;

use std::alloc::System;
use std::time::{Duration, Instant};

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

use scene::Scene;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const RULES: usize = 1_000;
const SERIES: usize = 20_000;
const CYCLES: usize = 20;

fn main() {
    // `cargo test --all-targets` builds and runs benchmarks too, but only `cargo bench` says so.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    println!(
        "{RULES} rules over {SERIES} series each 15 s, of which 40 samples are held: a third thresholds, a third rates, a third \
         sums that are recorded; median of {CYCLES} cycles.\n"
    );
    println!(
        "| alerts | a cycle | per rule | allocations | allocated | samples written |\n| --- | --- | --- | --- | --- | --- |"
    );
    for share in [0, 1, 50] {
        row(share);
    }
}

/// With so many of a hundred series over their threshold.
fn row(share: usize) {
    let mut scene = Scene::build(RULES, SERIES, share);
    // The first cycle opens every alert.
    scene.cycle();
    let mut times: Vec<Duration> = Vec::new();
    let (mut allocations, mut bytes, mut written) = (0, 0, 0);
    for _ in 0..CYCLES {
        scene.read();
        let (region, begun) = (Region::new(ALLOCATOR), Instant::now());
        written = scene.cycle();
        times.push(begun.elapsed());
        let change = region.change();
        allocations = change.allocations;
        bytes = change.bytes_allocated;
    }
    times.sort();
    let median = times[CYCLES / 2];
    println!(
        "| {} | {:.1} ms | {:.1} µs | {allocations} | {:.1} MB | {written} |",
        scene.alerts(),
        median.as_secs_f64() * 1e3,
        median.as_secs_f64() * 1e6 / RULES as f64,
        bytes as f64 / 1e6,
    );
}
