//! Base backups beside the WAL archive of a real server, as the watch sees them while segments get lost.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use pgvigil::backup::{self, Kind, Origin, Proof, Record, State, Trouble};

use super::base::take;
use super::watched::{Watched, settings};
use crate::harness::{Postgres, Scratch, eventually};

const DEADLINE: Duration = Duration::from_secs(60);

/// A server that archives its WAL, and a place for its backups.
struct Stage {
    scratch: Scratch,
    backups: PathBuf,
    archive: PathBuf,
    postgres: Postgres,
}

impl Stage {
    fn new(more: &[&str]) -> Stage {
        let scratch = Scratch::new();
        let (backups, archive) = (scratch.join("backups"), scratch.join("wal"));
        for folder in [&backups, &archive] {
            fs::create_dir(folder).unwrap();
            fs::set_permissions(folder, fs::Permissions::from_mode(0o777)).unwrap();
        }
        let command = format!(
            "archive_command=cp %p {0}/%f.part && mv {0}/%f.part {0}/%f",
            archive.display()
        );
        let settings = [&["archive_mode=on", command.as_str()], more].concat();
        let postgres = Postgres::with(18, &settings);
        Stage {
            scratch,
            backups,
            archive,
            postgres,
        }
    }

    /// Fills a segment; gives its name once it is archived.
    fn switch(&self) -> String {
        let name = self.postgres.sql("postgres", "CREATE TABLE IF NOT EXISTS t (i int); INSERT INTO t VALUES (1); SELECT pg_walfile_name(pg_switch_wal());");
        let archived = self.archive.join(&name);
        eventually("the segment is archived", DEADLINE, || {
            archived.exists().then_some(())
        });
        name
    }
}

/// What is known of the source once it is so.
async fn once(watched: &Watched, what: &str, is_so: impl Fn(&Record) -> bool) -> Record {
    let wanted = |record: &Record| is_so(record).then(|| record.clone());
    watched.known(what, wanted).await
}

fn backup<'r>(record: &'r Record, id: &str) -> Option<&'r backup::Backup> {
    let sighting = record.facts.sighting.as_ref()?;
    sighting.backups.iter().find(|backup| backup.id == id)
}

#[tokio::test(flavor = "multi_thread")]
async fn wal_that_gets_lost_is_told_with_the_backup_that_needs_it() {
    let stage = Stage::new(&["summarize_wal=on"]);
    let Stage {
        scratch,
        backups,
        archive,
        postgres,
    } = &stage;
    let bare = backups.join("bare");
    take(postgres, &bare, &["-Xnone"]);
    let manifest = bare.join("backup_manifest");
    let changes = ["-Xstream", "--incremental", manifest.to_str().unwrap()];
    take(postgres, &backups.join("changes"), &changes);
    let switched: Vec<String> = (0..4).map(|_| stage.switch()).collect();
    let text = format!(
        "backups: [{{name: base, server: s, files: '{}', wal: '{}', every: 1d, look: 300ms, verify_rate: 1GiB}}]",
        backups.display(),
        archive.display()
    );
    let watched = Watched::over(&text, scratch.path());
    let record = once(&watched, "both are read", |record| {
        let is_done = |id| backup(record, id).is_some_and(|backup| backup.state == State::Done);
        is_done("bare") && is_done("changes")
    })
    .await;
    let identifier = postgres.sql(
        "postgres",
        "SELECT system_identifier FROM pg_control_system()",
    );
    let (full, incremental) = (
        backup(&record, "bare").unwrap(),
        backup(&record, "changes").unwrap(),
    );
    assert_eq!((full.kind, full.proof), (Kind::Full, Proof::Summed));
    assert_eq!(
        full.origin,
        Some(Origin::Cluster(identifier.parse().unwrap()))
    );
    assert!(full.took.is_some() && full.started.is_some());
    assert_eq!(
        (incremental.kind, incremental.parent.as_deref()),
        (Kind::Incremental, Some("bare"))
    );
    let chain = record.facts.chain.as_ref().unwrap();
    assert_eq!((chain.missing_segments(), chain.witnesses.len()), (0, 2));
    assert_eq!(chain.newest.unwrap().name(chain.segment_bytes), switched[3]);
    let end = chain.newest.unwrap().end(chain.segment_bytes);
    assert_eq!(chain.unbroken_end, Some(end));

    fs::remove_file(archive.join(&switched[2])).unwrap();
    let record = once(&watched, "the gap is seen", |record| {
        record
            .facts
            .chain
            .as_ref()
            .is_some_and(|chain| chain.missing_segments() == 1)
    })
    .await;
    let chain = record.facts.chain.as_ref().unwrap();
    let gap = chain.missing[0].first();
    assert_eq!(gap.name(chain.segment_bytes), switched[2]);
    assert_eq!(chain.unbroken_end, Some(gap.start(chain.segment_bytes)));
    // Whoever looks by hand sees it, too, without a watch to remember the look before.
    let (declared, by_hand) = (settings(&text).remove(0), Scratch::new());
    let looked = move || backup::survey(&declared, by_hand.path(), true);
    let looked = tokio::task::spawn_blocking(looked).await.unwrap();
    assert_eq!(looked.facts.chain.unwrap().missing, chain.missing);

    let needed = full.wal.unwrap().0.name(chain.segment_bytes);
    fs::remove_file(archive.join(needed)).unwrap();
    let lost = once(&watched, "the backup is lost with its WAL", |record| {
        backup(record, "bare").is_some_and(|backup| backup.trouble == Some(Trouble::WalMissing))
    });
    // The changes need the files of the backup before them, not its WAL.
    assert_eq!(backup(&lost.await, "changes").unwrap().state, State::Done);
    fs::remove_dir_all(&bare).unwrap();
    let orphaned = once(
        &watched,
        "changes without their parent are nothing",
        |record| {
            backup(record, "changes")
                .is_some_and(|backup| backup.trouble == Some(Trouble::ParentMissing))
        },
    );
    orphaned.await;
    watched.stop().await;
}

/// Base backups are one source, and the archive of the same server is another.
#[tokio::test(flavor = "multi_thread")]
async fn an_archive_on_its_own_is_judged_by_the_base_backups_of_its_server() {
    let stage = Stage::new(&[]);
    let Stage {
        scratch,
        backups,
        archive,
        postgres,
    } = &stage;
    // What is missing before the backup is needed by nobody.
    let before: Vec<_> = (0..3).map(|_| archive.join(stage.switch())).collect();
    fs::remove_file(&before[1]).unwrap();
    take(postgres, &backups.join("base"), &["-Xstream"]);
    let after: Vec<_> = (0..4).map(|_| archive.join(stage.switch())).collect();
    let text = format!(
        "backups: [{{name: base, server: s, files: '{}', look: 300ms, verify_rate: 1GiB}}, {{name: wal, server: s, files: '{}', look: 300ms}}]",
        backups.display(),
        archive.display()
    );
    let watched = Watched::over(&text, scratch.path());
    let of_wal = |wanted: fn(&backup::Chain) -> bool| {
        move |record: &Record| {
            let chain = record.facts.chain.as_ref();
            record.settings.name == "wal" && chain.is_some_and(wanted)
        }
    };
    let leads_on = of_wal(|chain| {
        let newest = chain.newest.map(|newest| newest.end(chain.segment_bytes));
        chain.missing_segments() == 0 && newest.is_some() && chain.unbroken_end == newest
    });
    let record = once(&watched, "it leads on from the backup", leads_on).await;
    let point = watched.records.of("base").unwrap();
    let point = backup(&point, "base").unwrap().opens();
    let arrival = record.facts.chain.as_ref().unwrap().last_arrival.unwrap();
    let told = |edge: &str| {
        let samples = watched.board.current();
        let name = format!("pg_backup_recovery_window_{edge}_timestamp_seconds");
        let mut samples = samples.iter().flat_map(|(_, samples)| samples.iter());
        let of_wal = samples
            .find(|sample| *sample.family.name == *name && sample.labels.get("source") == "wal");
        of_wal.map(|sample| sample.value)
    };
    let expected = [Some(point.seconds()), Some(arrival.seconds())];
    eventually("its window begins with the backup", DEADLINE, || {
        (["start", "end"].map(told) == expected).then_some(())
    });

    fs::remove_file(&after[2]).unwrap();
    let gap = of_wal(|chain| chain.missing_segments() == 1);
    let record = once(&watched, "the gap after it is seen", gap).await;
    let chain = record.facts.chain.as_ref().unwrap();
    let first = chain.missing[0].first();
    assert!(after[2].ends_with(first.name(chain.segment_bytes)));
    assert_eq!(chain.unbroken_end, Some(first.start(chain.segment_bytes)));
    watched.stop().await;
}

const DUMP: &str = "--\n-- PostgreSQL database dump\n--\n\n--\n-- Data for Name: users; Type: TABLE DATA; Schema: public; Owner: alice\n--\n\nCOPY public.users (id) FROM stdin;\nROWS\\.\n\n\n--\n-- PostgreSQL database dump complete\n--\n\n";

#[tokio::test(flavor = "multi_thread")]
async fn rows_and_checksums_are_held_against_what_was_promised() {
    let scratch = Scratch::new();
    let folder = scratch.join("dumps");
    fs::create_dir(&folder).unwrap();
    let put = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
    put("full.sql", &DUMP.replace("ROWS", "1\n2\n3\n"));
    put("few.sql", &DUMP.replace("ROWS", "1\n"));
    put("wrong.sql", &DUMP.replace("ROWS", "1\n2\n"));
    put("wrong.sql.md5", &format!("{}  wrong.sql\n", "0".repeat(32)));
    let text = |rows| {
        format!(
            "backups: [{{name: d, server: s, files: '{}', every: 1d, look: 200ms, expect_rows: {{public.users: {rows}}}}}]",
            folder.display()
        )
    };
    let watched = Watched::over(&text(2), scratch.path());
    let all_read = |record: &Record| {
        let states = ["full.sql", "few.sql", "wrong.sql"]
            .map(|id| backup(record, id).map(|backup| backup.state));
        states
            == [
                Some(State::Done),
                Some(State::Damaged),
                Some(State::Damaged),
            ]
    };
    let record = once(&watched, "all are read", all_read).await;
    let few = backup(&record, "few.sql").unwrap();
    assert_eq!(few.trouble, Some(Trouble::RowsMissing));
    assert_eq!(
        few.problem.as_deref(),
        Some("holds 1 rows of `public.users`, at least 2 were promised")
    );
    assert_eq!(
        backup(&record, "wrong.sql").unwrap().trouble,
        Some(Trouble::Corrupt)
    );
    watched.stop().await;
    // Another promise is judged by what was remembered.
    let watched = Watched::over(&text(1), scratch.path());
    let enough = once(&watched, "one row is enough now", |record| {
        backup(record, "few.sql").is_some_and(|backup| backup.state == State::Done)
    });
    enough.await;
    watched.stop().await;
}
