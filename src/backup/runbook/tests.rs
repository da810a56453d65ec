use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::backup::{Phase, Record, Settings, State};
use crate::document::{Reader, parse};

const NOW: Timestamp = Timestamp(1_795_438_800_000);

fn record(text: &str) -> Arc<Record> {
    let reader = Reader::new(None);
    let text = format!("backups: [{{{text}}}]");
    let read = reader.read(&parse("test", &text).unwrap(), Settings::read);
    assert_eq!(reader.problems(), []);
    Arc::new(Record {
        settings: read.into_iter().next().unwrap(),
        facts: crate::backup::Facts::default(),
    })
}

fn brief(name: &str, newest: Option<Backup>) -> Brief {
    Brief {
        record: record(&format!("name: {name}, files: /b/*.dump")),
        recovery_point: newest.as_ref().map(|newest| newest.finished),
        newest,
        lag: Default::default(),
        drill: None,
        problems: Vec::new(),
        doubts: Vec::new(),
    }
}

fn dump(id: &str) -> Backup {
    Backup {
        state: State::Done,
        bytes: 54 << 20,
        proof: Proof::Summed,
        ..Backup::listed(id, Kind::Dump, NOW.before(Duration::from_secs(8 * 3600)))
    }
}

fn report(outcome: Outcome, hours: u64) -> Report {
    let finished = NOW.before(Duration::from_secs(hours * 3600));
    Report {
        phases: BTreeMap::from([(Phase::Fetch, 1.5), (Phase::Restore, 248.5)]),
        restored_bytes: 500 << 20,
        major: Some(15),
        ..Report::sample("nightly", "rachel.dump", finished, outcome)
    }
}

fn filled(sources: Vec<Brief>, reports: Vec<Report>) -> String {
    let account = Account {
        sources,
        reports,
        now: NOW,
        ..Account::default()
    };
    GUIDES[0].filled(&account)
}

#[test]
fn times_come_from_the_last_drill_that_succeeded() {
    let failed = report(Outcome::Failed("no `pg_restore`".into()), 2);
    let text = filled(
        vec![brief("nightly", Some(dump("rachel.dump")))],
        vec![failed, report(Outcome::Restored, 30)],
    );
    for words in [
        "### `nightly`",
        "Newest usable backup: `rachel.dump`, 54.0 MiB, finished 2026-11-23 05:00 UTC, 8 h ago; it was read to its end, and its checksums are right",
        "Restoring took **4 min** in the drill of 2026-11-22 07:00 UTC, 1 d 6 h ago (fetch 1.5 s, restore 4 min), of `rachel.dump`: 500 MiB restored, 2.00 MiB a second, with PostgreSQL 15",
        "The last drill, 2026-11-23 11:00 UTC, 2 h ago, **failed**: `no 'pg_restore'`",
    ] {
        assert!(text.contains(words), "{words}\n{text}");
    }
    assert!(
        !text.contains("Nothing was\nmeasured") && !text.contains("<!--"),
        "{text}"
    );
}

#[test]
fn what_was_never_measured_has_no_number() {
    let of_others = Report {
        source: "other".into(),
        ..report(Outcome::Restored, 1)
    };
    let text = filled(vec![brief("nightly", None)], vec![of_others]);
    assert!(
        text.contains("**No usable backup is known here.**"),
        "{text}"
    );
    assert!(
        text.contains("was never measured; `pgvigil backup drill nightly` measures it"),
        "{text}"
    );
    assert!(
        text.contains("The moment to which it leads back is not known"),
        "{text}"
    );
    assert!(!text.contains("Restoring took"), "{text}");
    assert!(filled(Vec::new(), Vec::new()).contains("No backup is configured"));
}

#[test]
fn where_the_wal_lies_is_told() {
    let mut brief = brief("base", None);
    brief.record = record("name: base, files: /b, wal: /mnt/wal_archive");
    let text = filled(vec![brief], Vec::new());
    assert!(
        text.contains("- Its WAL archive: `/mnt/wal_archive`"),
        "{text}"
    );
}

#[test]
fn names_and_messages_of_others_are_no_markup() {
    let hostile = "x`<script>alert(1)</script>\n# [a](javascript:b)";
    let mut brief = brief("nightly", Some(dump(hostile)));
    brief.problems = vec![
        "the newest, `a<b>`, <img src=x> **is** bad".into(),
        "an odd ` one <b>".into(),
    ];
    let text = filled(
        vec![brief],
        vec![report(Outcome::Failed(hostile.into()), 1)],
    );
    assert!(
        text.contains("`x'<script>alert(1)</script> # [a](javascript:b)`"),
        "{text}"
    );
    assert!(
        text.contains("Beware: the newest, `a<b>`, \\<img src=x\\> \\*\\*is\\*\\* bad"),
        "{text}"
    );
    assert!(text.contains("Beware: `an odd ' one <b>`"), "{text}");
}

#[test]
fn the_pages_have_their_place_and_link_to_each_other() {
    for guide in GUIDES {
        let other = guide.text != GUIDES[0].text;
        assert_eq!(
            guide.filled(&Account::default()) == guide.text,
            other,
            "{}",
            guide.name
        );
        for link in guide.text.split("](").skip(1) {
            let link = link.split(')').next().unwrap();
            assert!(
                GUIDES.iter().any(|other| other.file == link),
                "{}: {link}",
                guide.name
            );
        }
    }
}
