use super::*;
use crate::backup::judge::usual_size;
use crate::backup::memory::Past;
use crate::backup::{
    Backup, Chain, Facts, Gap, Kind, Log, LogError, Obstacle, Origin, Outcome, Proof, Segment,
    Settings, Sighting, Space, State,
};
use crate::document::{Reader, parse};

const NOW: Timestamp = Timestamp(1_795_438_800_000);
const HOUR: Duration = Duration::from_secs(3600);

fn ago(hours: u32) -> Timestamp {
    NOW.before(HOUR * hours)
}

fn settings(text: &str) -> Settings {
    let reader = Reader::new(None);
    let text = format!("backups: [{{every: 1d, {text}}}]");
    let read = reader.read(&parse("test", &text).unwrap(), Settings::read);
    // Of several sources each is written for itself here.
    let mut problems = reader.problems();
    problems.retain(|problem| !problem.message.contains("is said to be a copy of"));
    assert_eq!(problems, []);
    read.into_iter().next().unwrap()
}

fn backup(id: &str, hours: u32, bytes: u64, proof: Proof) -> Backup {
    Backup {
        state: State::Done,
        bytes,
        proof,
        ..Backup::listed(id, Kind::Dump, ago(hours))
    }
}

fn record(text: &str, backups: Vec<Backup>) -> Record {
    let space = Some(Space { free: 10_000 });
    let facts = Facts {
        looked: Some(ago(0)),
        sighting: Some(Sighting {
            backups,
            space,
            ..Sighting::default()
        }),
        ..Facts::default()
    };
    Record {
        settings: settings(text),
        facts,
    }
}

/// A month of dumps, one a day, each read to its end.
fn month() -> Vec<Backup> {
    (0..31)
        .map(|day| backup(&format!("{day}.dump"), 5 + 24 * day, 900, Proof::Whole))
        .collect()
}

const NIGHTLY: &str = "name: nightly, files: /b, keep: 30d, log: /l";
const CLOUD: &str = "name: cloud, files: /c, keep: 30d, copy_of: nightly, offsite: true";

fn good_log() -> Log {
    Log {
        read: Some(ago(0)),
        ..Log::default()
    }
}

fn restored(source: &str, hours: u32, outcome: Outcome) -> Report {
    Report::sample(source, "0.dump", ago(hours), outcome)
}

fn streaming(standbys: u64) -> Watched {
    Watched {
        standbys: Some(standbys),
        ..Watched::default()
    }
}

fn attested(line: &str, hours: u32) -> Attestation {
    Attestation {
        line: line.into(),
        by: "monica".into(),
        note: String::new(),
        at: ago(hours),
        said: ago(hours),
        is_withdrawn: false,
    }
}

#[derive(Default)]
struct World {
    records: Vec<Arc<Record>>,
    reports: Vec<Report>,
    attestations: Vec<Attestation>,
    watched: Watched,
}

impl World {
    /// Everything a machine can see is as it should be.
    fn good() -> World {
        let mut nightly = record(NIGHTLY, month());
        nightly.facts.log = Some(good_log());
        World {
            records: vec![Arc::new(record(CLOUD, month())), Arc::new(nightly)],
            reports: vec![restored("nightly", 30, Outcome::Restored)],
            watched: streaming(1),
            ..World::default()
        }
    }

    fn change(mut self, change: impl FnOnce(&mut Record)) -> World {
        change(Arc::make_mut(&mut self.records[1]));
        self
    }

    fn lines(&self) -> Vec<Line> {
        // As the watch does after each look.
        let judged = self.records.iter().cloned().map(|mut record| {
            let facts = &mut Arc::make_mut(&mut record).facts;
            let sighting = facts.sighting.as_ref();
            facts.usual_size = sighting.and_then(|sighting| usual_size(sighting, &Past::default()));
            record
        });
        checklist(&Known {
            records: &judged.collect::<Vec<_>>(),
            reports: &self.reports,
            attestations: &self.attestations,
            watched: &self.watched,
            now: NOW,
        })
    }

    /// What is wrong with the source that is changed.
    fn brief(&self) -> Brief {
        let known = Known {
            records: &self.records,
            reports: &self.reports,
            attestations: &self.attestations,
            watched: &self.watched,
            now: NOW,
        };
        briefs(&known).remove(1)
    }

    fn line(&self, key: &str) -> Line {
        self.lines()
            .into_iter()
            .find(|line| line.key == key)
            .unwrap()
    }

    /// A word for how it stands, and the sentences for it or against it.
    fn said(&self, key: &str) -> String {
        let line = self.line(key);
        let words = if line.is_ticked() {
            line.evidence
        } else {
            line.missing
        };
        format!("{}: {}", line.standing.word(), words.join("; "))
    }
}

#[test]
fn a_backup_of_something_else_proves_nothing() {
    let alien = |record: &mut Record| {
        let newest = &mut record.facts.sighting.as_mut().unwrap().backups[0];
        newest.origin = Some(Origin::Database("rachel".into()));
        newest.is_foreign = true;
    };
    let words = "the newest, `0.dump`, is of another database: `rachel`";
    let world = World::good().change(alien);
    for key in ["backup-ran", "backup-offsite"] {
        assert_eq!(world.said(key), format!("unticked: nightly: {words}"));
    }
    let brief = world.brief();
    assert_eq!(brief.problems, [words]);
    assert_eq!(brief.newest.unwrap().id, "1.dump");
    assert_eq!(brief.recovery_point, Some(ago(29)));
    let mut world = World::good();
    alien(Arc::make_mut(&mut world.records[0]));
    assert_eq!(
        world.said("backup-offsite"),
        format!("unticked: nightly: in cloud, {words}")
    );
    // With nothing of its own, nothing could be restored.
    let world = World::good().change(|record| {
        let sighting = record.facts.sighting.as_mut().unwrap();
        sighting.backups.truncate(1);
        alien(record);
    });
    let brief = world.brief();
    assert_eq!((brief.newest, brief.recovery_point), (None, None));
    assert_eq!(brief.problems[0], words);
}

#[test]
fn a_good_world_ticks_all_that_a_machine_can() {
    let world = World::good();
    let cases = [
        (
            "backup-ran",
            "proved: nightly: `0.dump` was finished at 08:00",
        ),
        (
            "backup-offsite",
            "proved: nightly: `0.dump` lies in cloud, finished at 08:00, with the same size as here",
        ),
        (
            "backup-size",
            "proved: nightly: `0.dump` has 900 B, usually it is 900 B",
        ),
        (
            "integrity-verified",
            "proved: nightly: `0.dump` was read to its end",
        ),
        (
            "restored-in-drill",
            "proved: nightly: `0.dump` was restored on 22 Nov 07:00 in 1 min, 1 check held",
        ),
        (
            "logs-reviewed",
            "observed: nightly: its log has no line with an error of late",
        ),
        (
            "disaster-drill",
            "unticked: nobody has said that one was rehearsed",
        ),
        (
            "retention-reviewed",
            "observed: nightly: its oldest backup is 30 d 5 h old, as promised (30 d)",
        ),
        (
            "storage-checked",
            "observed: cloud: 9.77 KiB are free; nightly: 9.77 KiB are free",
        ),
        (
            "recovery-plan-reviewed",
            "unticked: nobody has said that it was reviewed",
        ),
        (
            "production-restore-tested",
            "unticked: nobody has said that it was tried",
        ),
        (
            "access-audited",
            "unticked: nobody has said that it was checked",
        ),
        (
            "offsite-configured",
            "proved: nightly: cloud answers, at /c",
        ),
        (
            "restore-tested-monthly",
            "proved: nightly: `0.dump` was restored on 22 Nov 07:00 in 1 min, 1 check held",
        ),
        ("runbook-written", "unticked: nobody has said that they are"),
        ("contacts-current", "unticked: nobody has said that it is"),
        ("replica-for-failover", "observed: a standby streams"),
    ];
    let said: Vec<(&str, String)> = keys().map(|key| (key, world.said(key))).collect();
    let expected = cases.map(|(key, words)| (key, words.to_owned()));
    assert_eq!(said, expected);
    let line = world.line("restored-in-drill");
    assert_eq!(
        (line.at, line.expires()),
        (Some(ago(30)), Some(ago(30) + 7 * 24 * HOUR))
    );
    assert_eq!(line.way, "");
}

#[test]
fn what_is_missing_is_named_with_the_way() {
    type Change = fn(&mut Record);
    let cases: [(&str, Change, &str); 22] = [
        (
            "backup-ran",
            |r| newest(r).proof = Proof::Listed,
            "observed: nightly: `0.dump` was finished at 08:00",
        ),
        (
            "backup-ran",
            |r| seen(r).clear(),
            "unticked: nightly: there is no usable backup",
        ),
        (
            "backup-ran",
            |r| keep_from(r, 2),
            "unticked: nightly: the newest, `2.dump`, was finished on 21 Nov 08:00; one is promised every 1 d",
        ),
        (
            "backup-ran",
            |r| r.facts.obstacle = Some(Obstacle::Missing("/b".into())),
            "unticked: nightly: folder `/b` does not exist",
        ),
        (
            "backup-ran",
            damage,
            "unticked: nightly: the newest, `0.dump`, is cut short",
        ),
        (
            "integrity-verified",
            damage,
            "unticked: nightly: the newest, `0.dump`, is cut short",
        ),
        (
            "integrity-verified",
            |r| seen(r).iter_mut().for_each(|b| b.proof = Proof::Opened),
            "unticked: nightly: no backup has been read to its end",
        ),
        (
            "integrity-verified",
            |r| keep_from(r, 8),
            "unticked: nightly: the newest that is known to be whole, `8.dump`, was finished on 15 Nov 08:00",
        ),
        (
            "backup-size",
            |r| newest(r).bytes = 400,
            "unticked: nightly: `0.dump` has 400 B, usually it is 900 B",
        ),
        (
            "backup-size",
            |r| seen(r).truncate(3),
            "unticked: nightly: there are too few backups to know their usual size",
        ),
        (
            "backup-offsite",
            |r| newest(r).bytes = 899,
            "proved: nightly: `0.dump` lies in cloud, finished at 08:00",
        ),
        (
            "logs-reviewed",
            |r| r.facts.log = None,
            "unticked: nightly: its log has not been read yet",
        ),
        (
            "logs-reviewed",
            errors,
            "unticked: nightly: its log has 2 errors, the last: `ERROR: 'no' \u{fffd}`",
        ),
        (
            "logs-reviewed",
            |r| log(r).obstacle = Some("the log is gone".into()),
            "unticked: nightly: the log is gone",
        ),
        (
            "retention-reviewed",
            |r| r.settings.keep = None,
            "unticked: nightly: it is not said how long its backups are kept (`keep`)",
        ),
        (
            "retention-reviewed",
            |r| seen(r).truncate(9),
            "unticked: nightly: its oldest backup is 8 d 5 h old; 30 d are promised",
        ),
        // As the alerts have it.
        (
            "retention-reviewed",
            |r| {
                seen(r).truncate(9);
                r.facts.watched_since = Some(ago(31 * 24));
            },
            "unticked: nightly: its oldest backup is 8 d 5 h old; 30 d are promised",
        ),
        (
            "retention-reviewed",
            |r| r.facts.vanished = vec!["7.dump".into()],
            "unticked: nightly: `7.dump` is gone and was promised to stay",
        ),
        (
            "retention-reviewed",
            |r| {
                r.settings.full_every = Some(7 * 24 * HOUR);
                r.settings.keep = Some(20 * 24 * HOUR);
            },
            "observed: nightly: its oldest backup is 30 d 5 h old, as promised (20 d)",
        ),
        (
            "storage-checked",
            |r| {
                grown(r);
                between(r);
            },
            "unticked: nightly: 9.77 KiB are free, and the next backup may have 8.79 KiB",
        ),
        (
            "backup-size",
            between,
            "proved: nightly: `1.dump` has 900 B, usually it is 900 B",
        ),
        (
            "retention-reviewed",
            |r| r.settings.keep = Some(20 * 24 * HOUR),
            "unticked: nightly: `30.dump` is 30 d 5 h old, and 20 d are promised",
        ),
    ];
    for (key, change, expected) in cases {
        assert_eq!(World::good().change(change).said(key), expected, "{key}");
    }
    let bare = World {
        records: vec![Arc::new(record("name: nightly, files: /b", month()))],
        ..World::default()
    };
    let cases = [
        (
            "backup-offsite",
            "no place offsite shows a backup of it",
            "`copy_of: nightly`",
        ),
        (
            "offsite-configured",
            "no place offsite is configured for it",
            "`copy_of: nightly`",
        ),
        (
            "restored-in-drill",
            "no restore has been tried",
            "pgvigil backup drill nightly",
        ),
        ("logs-reviewed", "no `log` is configured", "`log`"),
        (
            "contacts-current",
            "nobody has said",
            "pgvigil backup attest contacts-current --by NAME",
        ),
        (
            "replica-for-failover",
            "only the running watch sees",
            "standby",
        ),
    ];
    for (key, missing, way) in cases {
        let line = bare.line(key);
        assert!(
            line.missing[0].contains(missing) && line.way.contains(way),
            "{line:?}"
        );
    }
    assert!(
        bare.lines()
            .iter()
            .all(|line| line.is_optional == (line.key == "replica-for-failover"))
    );
    let nothing = World::default();
    assert!(nothing.lines().iter().all(|line| !line.is_ticked()));
}

fn seen(record: &mut Record) -> &mut Vec<Backup> {
    &mut record.facts.sighting.as_mut().unwrap().backups
}

fn newest(record: &mut Record) -> &mut Backup {
    &mut seen(record)[0]
}

fn keep_from(record: &mut Record, day: usize) {
    seen(record).drain(..day);
}

fn log(record: &mut Record) -> &mut Log {
    record.facts.log.as_mut().unwrap()
}

fn damage(record: &mut Record) {
    let newest = newest(record);
    (newest.state, newest.problem) = (State::Damaged, Some("is cut short".into()));
}

fn grown(record: &mut Record) {
    seen(record)
        .iter_mut()
        .for_each(|backup| backup.bytes = 9_000);
}

/// The newest is a small one between two that need no other.
fn between(record: &mut Record) {
    seen(record)
        .iter_mut()
        .for_each(|backup| backup.kind = Kind::Full);
    let newest = newest(record);
    (newest.kind, newest.bytes) = (Kind::Incremental, 1);
}

fn errors(record: &mut Record) {
    let error = |text: &str| LogError {
        at: ago(6),
        text: text.into(),
    };
    log(record).errors = vec![error("one"), error("ERROR: `no` \u{1b}")];
}

#[test]
fn a_line_is_as_good_as_the_worst_source_that_it_is_about() {
    let mut world = World::good();
    world.records.push(Arc::new(record(
        "name: weekly, files: /w, keep: 30d",
        month(),
    )));
    let line = world.line("restored-in-drill");
    assert_eq!(line.standing, Standing::Unticked);
    assert_eq!(line.missing, ["weekly: no restore has been tried"]);
    assert_eq!(line.evidence.len(), 1, "{line:?}");
    assert_eq!(line.way, "pgvigil backup drill weekly");
    // A drill of a copy is one of the original, and what fails once is known until it works.
    world.records[2] = Arc::new(record("name: weekly, files: /w, copy_of: nightly", month()));
    world.reports = vec![
        restored("weekly", 3, Outcome::Restored),
        restored("nightly", 4, Outcome::Failed("no\nway".into())),
    ];
    assert_eq!(world.line("restored-in-drill").standing, Standing::Proved);
    world.reports.remove(0);
    let said = world.said("restored-in-drill");
    assert_eq!(
        said,
        "unticked: nightly: the restore of `0.dump` at 09:00 failed: no way"
    );
    world.reports = vec![restored("nightly", 8 * 24, Outcome::Restored)];
    assert_eq!(
        world.said("restored-in-drill"),
        "unticked: nightly: the last restore was on 15 Nov 13:00"
    );
    assert_eq!(
        world.line("restore-tested-monthly").standing,
        Standing::Proved
    );
    // What could not be tried is no word against what was.
    world.reports.insert(
        0,
        restored("nightly", 1, Outcome::Impossible("no room".into())),
    );
    assert_eq!(
        world.line("restore-tested-monthly").standing,
        Standing::Proved
    );
    world.reports.truncate(1);
    assert_eq!(
        world.said("restored-in-drill"),
        "unticked: nightly: a restore could not be tried: no room"
    );
}

#[test]
fn a_person_ticks_what_no_machine_can_see() {
    let by = |who: &str| Standing::Attested { by: who.into() };
    let day = 24;
    let cases = [
        // Within the period and past it.
        ("contacts-current", 91 * day, by("monica")),
        ("contacts-current", 93 * day, Standing::Unticked),
        ("disaster-drill", 32 * day, Standing::Unticked),
        // Proof outranks.
        ("backup-ran", 1, Standing::Proved),
        ("logs-reviewed", 1, Standing::Observed),
    ];
    for (key, hours, standing) in cases {
        let world = World {
            attestations: vec![attested(key, hours)],
            ..World::good()
        };
        assert_eq!(world.line(key).standing, standing, "{key}");
    }
    // Errors that were there when the log was reviewed, and those that came after it.
    for (hours, standing) in [(5, by("monica")), (7, Standing::Unticked)] {
        let world = World {
            attestations: vec![attested("logs-reviewed", hours)],
            ..World::good()
        };
        assert_eq!(
            world.change(errors).line("logs-reviewed").standing,
            standing
        );
    }
    // What is seen to be otherwise now.
    let world = World {
        attestations: vec![attested("backup-ran", 0)],
        ..World::good()
    };
    let world = world.change(|record| seen(record).clear());
    assert_eq!(world.line("backup-ran").standing, Standing::Unticked);
    // The newest drill of one source failed, whatever was done by hand since, and however another's went.
    let weekly = record("name: weekly, files: /w, keep: 30d", month());
    let mut world = World {
        attestations: vec![attested("restored-in-drill", 0)],
        reports: vec![
            restored("weekly", 1, Outcome::Restored),
            restored("nightly", 2, Outcome::Failed("no".into())),
        ],
        ..World::good()
    };
    world.records.push(Arc::new(weekly));
    let line = world.line("restored-in-drill");
    assert_eq!(
        (line.standing, line.refuted),
        (Standing::Unticked, Some(ago(0)))
    );
    // Where no server was asked for standbys, a person may know.
    for (standbys, standing) in [(None, by("monica")), (Some(0), Standing::Unticked)] {
        let watched = Watched {
            standbys,
            ..Watched::default()
        };
        let world = World {
            attestations: vec![attested("replica-for-failover", 0)],
            watched,
            ..World::good()
        };
        let line = world.line("replica-for-failover");
        assert_eq!(line.standing, standing, "{line:?}");
    }
    let world = World {
        attestations: vec![attested("contacts-current", 2)],
        ..World::good()
    };
    assert_eq!(
        world.said("contacts-current"),
        "attested: attested by `monica` on 23 Nov 2026 11:00:00 UTC"
    );
}

#[test]
fn a_wal_archive_alone_is_asked_for_no_backup() {
    let mut world = World::good();
    let mut wal = record("name: wal, files: /wal", Vec::new());
    wal.facts.chain = Some(crate::backup::Chain {
        segments: 1,
        ..Default::default()
    });
    world.records.push(Arc::new(wal));
    assert_eq!(world.line("backup-ran").standing, Standing::Proved);
}

#[test]
fn what_the_alerts_tell_of_a_source_its_brief_does_too() {
    type Change = fn(&mut Record);
    let cases: [(Change, &str); 7] = [
        (|_| {}, ""),
        (damage, "the newest, `0.dump`, is cut short"),
        (
            |r| r.facts.vanished = vec!["7.dump".into(), "8.dump".into()],
            "2 backups are gone that were promised to stay",
        ),
        (
            |r| {
                seen(r).truncate(9);
                r.facts.watched_since = Some(ago(31 * 24));
            },
            "its oldest backup is 8 d 5 h old; 30 d are promised",
        ),
        (
            |r| r.facts.uncopied = Some(vec!["7.dump".into()]),
            "`7.dump` of the original is not here, or is not the same here",
        ),
        (
            |r| {
                r.facts.chain = Some(Chain {
                    segment_bytes: 16 << 20,
                    missing: vec![Gap {
                        timeline: 1,
                        numbers: 3..=4,
                    }],
                    ..Chain::default()
                });
            },
            "segments of WAL are missing: 2, the first is 000000010000000000000003",
        ),
        (
            |r| {
                r.facts.chain = Some(Chain {
                    segment_bytes: 16 << 20,
                    short: vec![Segment {
                        timeline: 1,
                        number: 3,
                    }],
                    ..Chain::default()
                });
            },
            "segments of WAL are too short: 1, the first is 000000010000000000000003",
        ),
    ];
    for (change, expected) in cases {
        assert_eq!(
            World::good().change(change).brief().problems.join("; "),
            expected
        );
    }
}

#[test]
fn what_was_restored_needs_nobody_who_reads_it() {
    let unread = |record: &mut Record| {
        let backups = seen(record).iter_mut();
        backups.for_each(|backup| backup.state = State::Unread);
    };
    let world = World::good().change(unread);
    assert_eq!(
        world.brief().doubts,
        ["the newest, `0.dump`, has not been read yet"]
    );
    let world = world.change(|record| newest(record).proof = Proof::Restored);
    assert_eq!(world.brief().doubts, [""; 0]);
}

#[test]
fn of_roles_and_tablespaces_no_drill_is_asked_beside_data() {
    let key = "restored-in-drill";
    let mut globals = backup("globals.sql", 5, 700, Proof::Whole);
    globals.is_globals = true;
    let globals = Arc::new(record("name: globals, files: /g", vec![globals]));
    let mut world = World::good();
    world.records.push(globals.clone());
    let line = world.line(key);
    assert_eq!((line.standing, line.at), (Standing::Proved, Some(ago(30))));
    assert_eq!(
        line.evidence[1],
        "globals: it holds roles and tablespaces and no data, so that no drill is asked of it"
    );
    // One that was tried and failed is no good news.
    let failed = restored("globals", 1, Outcome::Failed("no role".into()));
    world.reports.insert(0, failed);
    assert_eq!(world.line(key).standing, Standing::Unticked);
    // Where there is nothing else, nothing was restored.
    let alone = World {
        records: vec![globals],
        ..World::default()
    };
    assert_eq!(
        alone.said(key),
        "unticked: globals: no restore has been tried"
    );
}

#[test]
fn what_is_too_new_to_be_judged_is_no_bad_news() {
    let mut world = World::good();
    let new = Backup {
        state: State::Running,
        ..backup("new.dump", 0, 900, Proof::Listed)
    };
    let mut nightly = record(NIGHTLY, vec![new]);
    nightly.facts.log = Some(good_log());
    world.records[1] = Arc::new(nightly);
    world.reports.clear();
    let brief = world.brief();
    assert_eq!(brief.problems, Vec::<String>::new());
    let doubt = brief.doubts.concat();
    assert!(
        doubt.contains("`new.dump` is still being written"),
        "{doubt}"
    );
    assert_eq!(brief.is_good(), None);
}

#[test]
fn what_is_lost_with_a_server_that_does_not_answer_is_not_known() {
    let mut world = World::good();
    let server = world.records[1].settings.server.clone();
    world.watched.silent.insert(server);
    assert_eq!(world.brief().is_good(), Some(true), "a dump is not of now");
    let mut archived = (*world.records[1]).clone();
    archived.facts.chain = Some(Chain::default());
    world.records[1] = Arc::new(archived);
    let brief = world.brief();
    assert_eq!((brief.is_good(), brief.doubts.len()), (None, 1));
}
