//! The ledger on a real disk: what a crash, a second process and a full disk do to it.

mod compaction;

use std::collections::BTreeMap;
use std::fs;

use pgvigil::incident::{
    Acknowledgement, Book, Delivery, Event, Evidence, Ledger, Matcher, OpenError, Silence,
};
use pgvigil::rules::{Alert, AlertState, Change, RuleKey, Transition};
use pgvigil::sample::{Labels, Source, Sources, Timestamp};
use proptest::prelude::*;

use crate::harness::Scratch;

/// A firing alert of the server `rachel`.
pub(crate) fn firing(name: &str, at: Timestamp) -> Alert {
    let labels = [
        ("alertname", name),
        ("instance", "rachel"),
        ("severity", "warning"),
    ];
    let annotations = [
        ("summary", format!("{name} has something to say")),
        ("runbook_url", "https://pgvigil.example/runbook".to_owned()),
    ];
    Alert {
        rule: RuleKey {
            file: "default".into(),
            group: "g".into(),
            rule: name.into(),
        },
        labels: Labels::new(labels),
        annotations: annotations
            .map(|(name, text)| (name.to_owned(), text))
            .into(),
        value: 86.5,
        sources: Sources::one(Source::new("rachel", "", "activity")),
        state: AlertState::Firing,
        active_at: at,
        fired_at: Some(at),
        last_seen: at,
        keep_firing_since: None,
        stale_since: None,
        changed_since: None,
        resolved_at: None,
    }
}

/// The event that opens an alert's incident.
pub(crate) fn opened(alert: &Alert) -> Event {
    Event::Alert(Transition {
        change: Change::Opened,
        at: alert.last_seen,
        alert: alert.clone(),
    })
}

/// The event that ends it.
pub(crate) fn resolved(alert: &Alert, at: Timestamp) -> Event {
    let alert = Alert {
        state: AlertState::Resolved,
        resolved_at: Some(at),
        ..alert.clone()
    };
    Event::Alert(Transition {
        change: Change::Resolved,
        at,
        alert,
    })
}

fn open(scratch: &Scratch) -> (Ledger, Vec<String>) {
    Ledger::open(scratch.path()).unwrap()
}

fn book(ledger: &Ledger) -> Book {
    ledger.read(Book::clone)
}

#[test]
fn a_half_written_line_is_cut_and_reported() {
    let scratch = Scratch::new();
    let log = scratch.join("incidents.log");
    let (ledger, warnings) = open(&scratch);
    assert!(warnings.is_empty(), "{warnings:?}");
    ledger.record(&[opened(&firing("A", Timestamp(1_000)))]);
    let before = book(&ledger);
    ledger.record(&[opened(&firing("B", Timestamp(2_000)))]);
    drop(ledger);

    let whole = fs::read(&log).unwrap();
    // The first line tells the format.
    let mut ends = (0..whole.len()).filter(|place| whole[*place] == b'\n');
    let second = ends.nth(1).unwrap() + 1;
    for end in second + 1..whole.len() {
        fs::write(&log, &whole[..end]).unwrap();
        let (ledger, warnings) = open(&scratch);
        assert_eq!(book(&ledger), before, "cut at {end}");
        assert!(warnings[0].contains("half-written line"), "{warnings:?}");
    }
}

#[test]
fn damage_before_the_last_line_is_refused_with_the_way_out() {
    let scratch = Scratch::new();
    let log = scratch.join("incidents.log");
    let (ledger, _) = open(&scratch);
    for name in ["A", "B", "C"] {
        ledger.record(&[opened(&firing(name, Timestamp(1_000)))]);
    }
    drop(ledger);
    let mut bytes = fs::read(&log).unwrap();
    let second = bytes.iter().position(|byte| *byte == b'\n').unwrap() + 20;
    bytes[second] ^= 1;
    fs::write(&log, &bytes).unwrap();

    let error = Ledger::open(scratch.path()).err().unwrap();
    assert!(
        error
            .to_string()
            .contains("is damaged in line 2: its checksum is wrong"),
        "{error}"
    );
    assert!(error.hint().contains("mv "), "{}", error.hint());
    assert_eq!(
        fs::read(&log).unwrap(),
        bytes,
        "what is refused is left alone"
    );
}

#[test]
fn a_state_directory_belongs_to_one_process() {
    let scratch = Scratch::new();
    let (first, _) = open(&scratch);
    let error = Ledger::open(scratch.path()).err().unwrap();
    let expected = format!("is in use by process {}", std::process::id());
    assert!(
        matches!(error, OpenError::InUse { .. }) && error.to_string().contains(&expected),
        "{error}"
    );
    drop(first);
    open(&scratch);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_said_and_made_good_later() {
    let scratch = Scratch::new();
    let aside = scratch.join("incidents.log.new");
    std::os::unix::fs::symlink("/dev/full", &aside).unwrap();
    let (ledger, _) = open(&scratch);
    let mut changes = ledger.changes();
    ledger.record(&[opened(&firing("A", Timestamp(1_000)))]);
    assert!(!ledger.healthy());
    assert_eq!(book(&ledger).firing().count(), 1);
    assert!(
        changes.has_changed().unwrap(),
        "who delivers is woken all the same"
    );
    changes.mark_unchanged();

    fs::remove_file(&aside).unwrap();
    ledger.record(&[opened(&firing("B", Timestamp(2_000)))]);
    assert!(ledger.healthy());
    let before = book(&ledger);
    drop(ledger);
    assert_eq!(book(&open(&scratch).0), before);
}

#[cfg(target_os = "linux")]
#[test]
fn what_a_full_disk_did_not_take_is_written_when_nothing_happens_either() {
    let scratch = Scratch::new();
    let aside = scratch.join("incidents.log.new");
    std::os::unix::fs::symlink("/dev/full", &aside).unwrap();
    let (ledger, _) = open(&scratch);
    ledger.record(&[opened(&firing("A", Timestamp(1_000)))]);
    ledger.tend();
    assert!(!ledger.healthy(), "the disk is still full");

    fs::remove_file(&aside).unwrap();
    ledger.tend();
    assert!(ledger.healthy());
    let before = book(&ledger);
    assert_eq!(before.firing().count(), 1);
    let written = fs::read(scratch.join("incidents.log")).unwrap();
    ledger.tend();
    assert_eq!(fs::read(scratch.join("incidents.log")).unwrap(), written);
    drop(ledger);
    assert_eq!(book(&open(&scratch).0), before);
}

#[test]
fn a_year_of_flapping_stays_small_and_forgets_nobody() {
    let scratch = Scratch::new();
    let (ledger, _) = open(&scratch);
    let names = vec!["deaf".into(), "oncall".into()];
    let mut events = vec![Event::Receivers {
        at: Timestamp(0),
        names,
    }];
    for round in 1..2_000 {
        let alert = firing("Flap", Timestamp(round * 60_000));
        let incidents = |resolved| vec![(alert.incident().unwrap(), resolved)];
        events.push(opened(&alert));
        if round == 1 {
            events.push(Event::Delivered(delivery(
                "deaf",
                alert.last_seen,
                incidents(false),
                "",
            )));
        }
        events.push(Event::Delivered(delivery(
            "oncall",
            alert.last_seen,
            incidents(false),
            "",
        )));
        events.push(resolved(&alert, Timestamp(round * 60_000 + 30_000)));
        events.push(Event::Delivered(delivery(
            "oncall",
            alert.last_seen,
            incidents(true),
            "",
        )));
    }
    ledger.record(&events);
    let before = book(&ledger);
    assert_eq!(before.ended.len(), 201);
    assert_eq!(
        before.ended[0].fired_at,
        Some(Timestamp(60_000)),
        "`deaf` is owed its end"
    );
    assert_eq!(before.told.len(), 202);
    drop(ledger);

    assert_eq!(book(&open(&scratch).0), before);
    let size = fs::metadata(scratch.join("incidents.log")).unwrap().len();
    assert!(size < 300_000, "{size}");
}

/// Nothing grows without end, however long a receiver takes nothing: 2,000 ended incidents, what is older is listed as
/// given up.
#[test]
fn a_receiver_that_takes_nothing_for_ever_fills_no_memory() {
    let scratch = Scratch::new();
    let (ledger, _) = open(&scratch);
    let mut events = vec![Event::Receivers {
        at: Timestamp(0),
        names: vec!["deaf".into()],
    }];
    for round in 0..2_105 {
        let alert = firing("Flap", Timestamp(round * 60_000));
        let id = alert.incident().unwrap();
        events.push(opened(&alert));
        let rows = if round < 2_100 { 1 } else { 40 };
        let evidence = Evidence {
            rows: vec![vec!["x".repeat(1 << 10)]; rows],
            ..found(alert.last_seen)
        };
        events.push(Event::Evidence {
            incident: id.clone(),
            found: vec![evidence],
        });
        let told = vec![(id, false)];
        events.push(Event::Delivered(delivery(
            "deaf",
            alert.last_seen,
            told,
            "",
        )));
        events.push(resolved(&alert, Timestamp(round * 60_000 + 30_000)));
    }
    ledger.record(&events);
    let before = book(&ledger);
    assert_eq!((before.ended.len(), before.told.len()), (2_000, 2_000));
    assert_eq!(before.dead.len(), 100);
    let last = before.dead.back().unwrap();
    assert!(last.error.contains("more than 2000"), "{}", last.error);
    assert_eq!(before.evidence.len(), 300);
    let rows = before.evidence.values().flatten();
    let rows = rows.map(|found| found.rows.len() + 1000 * found.more);
    let most = rows.max();
    assert_eq!(
        most,
        Some(32 + 1000 * 11),
        "32 KiB of each, and 8 rows more are left out"
    );
    drop(ledger);
    assert_eq!(book(&open(&scratch).0), before);
}

fn delivery(
    receiver: &str,
    at: Timestamp,
    incidents: Vec<(String, bool)>,
    error: &str,
) -> Delivery {
    Delivery {
        receiver: receiver.into(),
        at,
        incidents,
        thread: format!("<{receiver}>"),
        subject: "subject".into(),
        error: error.into(),
    }
}

fn found(at: Timestamp) -> Evidence {
    Evidence {
        query: "connections".into(),
        title: "Connections".into(),
        server: "rachel".into(),
        at,
        columns: vec!["usename".into(), "count".into()],
        rows: vec![vec!["shop".into(), "80".into()]],
        more: 3,
        error: String::new(),
    }
}

/// Something that may happen to one of three alerts at a moment.
fn events() -> impl Strategy<Value = Vec<(usize, usize, bool)>> {
    prop::collection::vec((0..11usize, 0..3usize, any::<bool>()), 1..120)
}

fn script(steps: &[(usize, usize, bool)]) -> Vec<Event> {
    let mut open: BTreeMap<usize, Alert> = BTreeMap::new();
    let mut ids: Vec<String> = Vec::new();
    let mut events = Vec::new();
    for (step, (kind, which, flag)) in steps.iter().enumerate() {
        let at = Timestamp(step as i64 * 1_000);
        let name = format!("Alert{which}");
        let fresh = firing(&name, at);
        let alert = open.get(which).cloned().unwrap_or_else(|| fresh.clone());
        let turned = |change, alert: Alert| Event::Alert(Transition { change, at, alert });
        let receiver = if *flag { "oncall" } else { "team" };
        match kind {
            0 => {
                let pending = Alert {
                    state: AlertState::Pending,
                    fired_at: None,
                    ..fresh
                };
                open.remove(which);
                events.push(turned(Change::Pending, pending));
            }
            1 => {
                ids.extend(fresh.incident());
                events.push(opened(&fresh));
                open.insert(*which, fresh);
            }
            2 if open.contains_key(which) => {
                events.push(resolved(&alert, at));
                open.remove(which);
            }
            3 => {
                open.remove(which);
                events.push(turned(Change::Forgotten, alert));
            }
            4 => {
                let stale = Alert {
                    stale_since: Some(at),
                    ..alert
                };
                open.insert(*which, stale.clone());
                ids.extend(stale.incident());
                events.push(turned(Change::Stale, stale));
            }
            5 => {
                let names = if *flag {
                    vec!["oncall"]
                } else {
                    vec!["oncall", "team"]
                };
                let names = names.into_iter().map(str::to_owned).collect();
                events.push(Event::Receivers { at, names });
            }
            8 => events.push(Event::Silenced(Silence {
                id: format!("silence-{which}"),
                matchers: vec![Matcher::equal("alertname", &name)],
                starts_at: at,
                ends_at: if *flag { at } else { Timestamp(at.0 + 9_000) },
                created_by: "me".into(),
                comment: "maintenance".into(),
                updated_at: at,
            })),
            9 => events.extend(ids.get(*which).map(|id| {
                Event::Acknowledged(Acknowledgement {
                    incident: id.clone(),
                    at,
                    by: receiver.into(),
                    comment: String::new(),
                })
            })),
            10 => events.extend(ids.get(*which).map(|id| Event::Evidence {
                incident: id.clone(),
                found: vec![found(at)],
            })),
            _ => {
                let incidents = ids
                    .iter()
                    .skip(*which)
                    .step_by(2)
                    .map(|id| (id.clone(), *flag))
                    .collect();
                let error = if *kind == 7 { "refused" } else { "" };
                let delivery = delivery(receiver, at, incidents, error);
                let failed = *kind == 7;
                events.push(if failed {
                    Event::Failed(delivery)
                } else {
                    Event::Delivered(delivery)
                });
            }
        }
    }
    events
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever happened, and however often it is read back and made small, the book stays the same.
    #[test]
    fn replay_is_the_fold(steps in events()) {
        let scratch = Scratch::new();
        let (mut ledger, _) = open(&scratch);
        let mut fold = Book::default();
        for (step, event) in script(&steps).iter().enumerate() {
            fold.apply(event);
            ledger.record(std::slice::from_ref(event));
            if step % 40 == 20 {
                drop(ledger);
                ledger = open(&scratch).0;
                prop_assert_eq!(&book(&ledger), &fold);
            }
        }
        drop(ledger);
        for _ in 0..2 {
            prop_assert_eq!(&book(&open(&scratch).0), &fold);
        }
    }
}
