//! `make bench`: what the incident log costs: appends that are on the disk, the wait of who appends while it is made
//! small, and the start over 100,000 events. Prints a table in Markdown with its conditions. `BENCH_DIR` is where the log
//! is written, for the figures are those of that disk.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    unreachable_pub
)]

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use pgvigil::incident::{Delivery, Event, Ledger};
use pgvigil::rules::{Alert, AlertState, Change, RuleKey, Transition};
use pgvigil::sample::{Labels, Source, Sources, Timestamp};

const EVENTS: usize = 100_000;
const APPENDS: usize = 2_000;

fn main() {
    // `cargo test --all-targets` builds and runs benchmarks too, but only `cargo bench` says so.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let dir = std::env::var_os("BENCH_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
    let scratch = tempfile::tempdir_in(&dir).unwrap();
    println!("The incident log, on `{}`.\n", dir.display());
    println!("| | |\n| --- | --- |");
    append(&scratch.path().join("append"));
    start(&scratch.path().join("start"));
    compact(&scratch.path().join("compact"));
}

fn append(dir: &Path) {
    let (ledger, _) = Ledger::open(dir).unwrap();
    let mut times: Vec<Duration> = (0..APPENDS)
        .map(|number| {
            let events = &incident(number)[..1];
            let begun = Instant::now();
            ledger.record(events);
            begun.elapsed()
        })
        .collect();
    let all: Duration = times.iter().sum();
    times.sort_unstable();
    let [p50, p99] = [50, 99].map(|part| millis(times[APPENDS * part / 100]));
    println!(
        "| one event, on the disk | {:.0} a second; p50 {p50:.2} ms, p99 {p99:.2} ms |",
        APPENDS as f64 / all.as_secs_f64()
    );
}

fn start(dir: &Path) {
    let (ledger, _) = Ledger::open(dir).unwrap();
    let events: Vec<Event> = (0..EVENTS / 4).flat_map(incident).collect();
    for chunk in events.chunks(1_000) {
        ledger.record(chunk);
    }
    let bytes = ledger.figures().bytes as f64 / 1e6;
    drop(ledger);
    let begun = Instant::now();
    let (ledger, _) = Ledger::open(dir).unwrap();
    println!(
        "| start over {} events, {bytes:.0} MB | {:.0} ms |",
        events.len(),
        millis(begun.elapsed())
    );
    drop(ledger);
    let begun = Instant::now();
    let _ledger = Ledger::open(dir).unwrap();
    println!(
        "| start over what is left of them | {:.1} ms |",
        millis(begun.elapsed())
    );
}

fn compact(dir: &Path) {
    let (ledger, _) = Ledger::open(dir).unwrap();
    let events: Vec<Event> = (0..EVENTS / 4).flat_map(incident).collect();
    ledger.record(&events);
    let done = AtomicBool::new(false);
    let (took, worst) = std::thread::scope(|scope| {
        let appending = scope.spawn(|| {
            let mut worst = Duration::ZERO;
            while !done.load(Ordering::Relaxed) {
                let begun = Instant::now();
                ledger.record(&incident(1)[..1]);
                worst = worst.max(begun.elapsed());
            }
            worst
        });
        let begun = Instant::now();
        ledger.tend();
        let took = begun.elapsed();
        done.store(true, Ordering::Relaxed);
        (took, appending.join().unwrap())
    });
    assert_eq!(ledger.figures().compactions, 1);
    println!(
        "| made small beside its use | {:.0} ms; the longest append meanwhile {:.1} ms |",
        millis(took),
        millis(worst)
    );
}

fn millis(span: Duration) -> f64 {
    span.as_secs_f64() * 1e3
}

/// An incident from its begin to its end, as one receiver is told of it.
fn incident(number: usize) -> Vec<Event> {
    let at = Timestamp(number as i64 * 60_000);
    let instance = format!("rachel-{}", number % 50);
    let labels = [
        ("alertname", "PostgresqlConnectionsHigh"),
        ("instance", &instance),
        ("severity", "warning"),
    ];
    let summary = format!("{instance}: 86 of 100 connections are in use");
    let firing = Alert {
        rule: RuleKey {
            file: "default/postgresql.yml".into(),
            group: "postgresql-connections".into(),
            rule: "PostgresqlConnectionsHigh".into(),
        },
        labels: Labels::new(labels),
        annotations: [("summary".to_owned(), summary)].into(),
        value: 86.0,
        sources: Sources::one(Source::new(&instance, "", "activity")),
        state: AlertState::Firing,
        active_at: at,
        fired_at: Some(at),
        last_seen: at,
        keep_firing_since: None,
        stale_since: None,
        changed_since: None,
        resolved_at: None,
    };
    let end = at + Duration::from_secs(30);
    let ended = Alert {
        state: AlertState::Resolved,
        resolved_at: Some(end),
        ..firing.clone()
    };
    let id = firing.incident().unwrap();
    let delivered = |at, resolved| {
        Event::Delivered(Delivery {
            receiver: "oncall".into(),
            at,
            incidents: vec![(id.clone(), resolved)],
            thread: format!("<{id}@example.com>"),
            subject: "[rachel] PostgresqlConnectionsHigh".into(),
            error: String::new(),
        })
    };
    let turned = |change, at, alert: &Alert| {
        Event::Alert(Transition {
            change,
            at,
            alert: alert.clone(),
        })
    };
    vec![
        turned(Change::Opened, at, &firing),
        delivered(at, false),
        turned(Change::Resolved, end, &ended),
        delivered(end, true),
    ]
}
