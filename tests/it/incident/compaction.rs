//! The log is made small beside its use: nobody waits for it, and a crash at any step of it loses nothing.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use pgvigil::incident::{Event, Ledger};
use pgvigil::sample::Timestamp;
use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::{book, firing, open, opened, resolved};
use crate::harness::{Scratch, eventually};

const DEADLINE: Duration = Duration::from_secs(60);

/// Enough events for a log that is to be made small, of incidents that came and went.
fn history(name: &str, count: i64) -> Vec<Event> {
    let rounds = 0..count;
    let round = |round| {
        let alert = firing(name, Timestamp(round * 60_000));
        let end = resolved(&alert, Timestamp(round * 60_000 + 30_000));
        [opened(&alert), end]
    };
    rounds.flat_map(round).collect()
}

fn size(scratch: &Scratch) -> u64 {
    let log = fs::metadata(scratch.join("incidents.log"));
    log.map_or(0, |log| log.len())
}

#[test]
fn a_large_log_is_made_small_while_others_append() {
    let scratch = Scratch::new();
    let (ledger, _) = open(&scratch);
    let ledger = Arc::new(ledger);
    ledger.tend();
    assert_eq!(ledger.figures().compactions, 0, "it is small");
    ledger.record(&history("Flap", 5_000));
    let before = size(&scratch);
    assert_eq!(ledger.figures().bytes, before);
    assert!(before > 4 << 20, "{before}");

    let done = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = ["A", "B"]
        .map(|name| {
            let (ledger, done) = (ledger.clone(), done.clone());
            thread::spawn(move || {
                let mut round = 0;
                while !done.load(Ordering::Relaxed) {
                    ledger.record(&[opened(&firing(name, Timestamp(round)))]);
                    round += 1;
                }
            })
        })
        .into();
    eventually("it is made small", DEADLINE, || {
        ledger.tend();
        (ledger.figures().compactions > 0).then_some(())
    });
    done.store(true, Ordering::Relaxed);
    writers
        .into_iter()
        .for_each(|writer| writer.join().unwrap());
    ledger.record(&[opened(&firing("Last", Timestamp(1)))]);
    assert!(size(&scratch) < before, "{}", size(&scratch));
    assert_eq!(ledger.figures().bytes, size(&scratch));
    assert!(ledger.healthy());
    assert_eq!(ledger.figures().failures, 0);

    let known = book(&ledger);
    drop(ledger);
    let (again, warnings) = open(&scratch);
    assert_eq!(book(&again), known);
    assert!(warnings.is_empty(), "{warnings:?}");
}

/// The file to which it is made small is a pipe that nobody reads, so that to open it takes for ever.
#[test]
fn whoever_appends_waits_for_no_compaction() {
    let scratch = Scratch::new();
    let (ledger, _) = open(&scratch);
    let ledger = Arc::new(ledger);
    ledger.record(&history("Flap", 5_000));
    let aside = scratch.join("incidents.log.small");
    mknodat(CWD, &aside, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let tending = {
        let ledger = ledger.clone();
        thread::spawn(move || ledger.tend())
    };
    for round in 0..50 {
        ledger.record(&[opened(&firing("A", Timestamp(round)))]);
        thread::yield_now();
    }
    assert!(!tending.is_finished(), "it hangs in the pipe");
    // Whoever opens the other end sets it free, and a pipe is no file that could be a log.
    drop(fs::File::open(&aside).unwrap());
    tending.join().unwrap();
    assert_eq!(ledger.figures().failures, 1);
    assert!(ledger.healthy(), "all that was recorded is on the disk");

    fs::remove_file(&aside).unwrap();
    ledger.tend();
    assert_eq!(ledger.figures().compactions, 1);
    let known = book(&ledger);
    drop(ledger);
    assert_eq!(book(&open(&scratch).0), known);
}

/// What a crash leaves: a part of the new file beside the old one, all of it, or the new one in its place.
#[test]
fn a_crash_while_it_is_made_small_loses_nothing() {
    let scratch = Scratch::new();
    let (ledger, _) = open(&scratch);
    ledger.record(&history("Flap", 5_000));
    let known = book(&ledger);
    let old = fs::read(scratch.join("incidents.log")).unwrap();
    ledger.tend();
    let new = fs::read(scratch.join("incidents.log")).unwrap();
    drop(ledger);
    assert!(new.len() < old.len() / 8);

    for aside in ["incidents.log.small", "incidents.log.new"] {
        for length in [0, 1, new.len() / 2, new.len()] {
            scratch.write("incidents.log", &old);
            scratch.write(aside, &new[..length]);
            let (again, warnings) = open(&scratch);
            assert_eq!(book(&again), known, "{aside} {length}");
            assert!(warnings.is_empty(), "{warnings:?}");
        }
    }
    scratch.write("incidents.log", &new);
    assert_eq!(book(&open(&scratch).0), known);
}

#[test]
fn a_later_version_is_passed_over_where_that_does_no_harm_and_else_refused() {
    let scratch = Scratch::new();
    let (ledger, _) = open(&scratch);
    ledger.record(&[opened(&firing("A", Timestamp(1_000)))]);
    let known = book(&ledger);
    drop(ledger);
    let line = |json: &str| format!("{:08x} {json}\n", crc32fast::hash(json.as_bytes()));
    let log = fs::read_to_string(scratch.join("incidents.log")).unwrap();
    assert!(
        log.lines()
            .next()
            .unwrap()
            .contains("{\"format\":1,\"version\":")
    );

    let later = log.clone() + &line(r#"{"event":"escalated","incident":"a-1"}"#);
    scratch.write("incidents.log", &later);
    let (again, warnings) = open(&scratch);
    assert_eq!(book(&again), known);
    assert!(
        warnings[0].contains("1 events of kinds that this version does not know"),
        "{warnings:?}"
    );
    let kept = fs::read_to_string(scratch.join("incidents.log.newer")).unwrap();
    assert_eq!(kept, later);
    drop(again);

    let (_, events) = log.split_once('\n').unwrap();
    let newer = line(r#"{"format":7,"version":"9.1.0"}"#) + events;
    scratch.write("incidents.log", &newer);
    let error = Ledger::open(scratch.path()).err().unwrap();
    assert!(
        error.to_string().contains("was written by pgvigil 9.1.0"),
        "{error}"
    );
    assert!(
        error.hint().contains("start pgvigil 9.1.0"),
        "{}",
        error.hint()
    );
    let left = fs::read_to_string(scratch.join("incidents.log")).unwrap();
    assert_eq!(left, newer, "what is refused is left alone");
}
