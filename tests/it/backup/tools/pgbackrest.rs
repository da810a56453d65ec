//! pgBackRest itself over a real cluster, with two repositories.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use pgvigil::backup::{Facts, Kind, Origin, Segment, State};
use rustix::process::{Pid, Signal, kill_process};

use super::{backups, complaints, facts, is_alive, run};
use crate::backup::watched::Watched;
use crate::harness::{Postgres, Scratch, eventually, eventually_async, give_to_server, is_root};

const DEADLINE: Duration = Duration::from_secs(60);
const SEGMENT: u64 = 16 << 20;

struct World {
    scratch: Scratch,
    postgres: Postgres,
}

impl World {
    fn start() -> World {
        let scratch = Scratch::new();
        for folder in ["one", "two", "lock", "log", "spool"] {
            fs::create_dir(scratch.join(folder)).unwrap();
            give_to_server(&scratch.join(folder));
        }
        let config = scratch.join("c.conf");
        let push = format!(
            "pgbackrest --config={} --stanza=main archive-push %p",
            config.display()
        );
        let postgres = Postgres::with(15, &["archive_mode=on", &format!("archive_command={push}")]);
        let (at, cluster) = (scratch.path().display(), postgres.dir().display());
        let text = format!(
            "[global]\nrepo1-path={at}/one\nrepo2-path={at}/two\nlock-path={at}/lock\nlog-path={at}/log\nspool-path={at}/spool\n\
             start-fast=y\ncompress-level=1\nrepo1-retention-full=9\nrepo2-retention-full=9\n\
             [main]\npg1-path={cluster}/data\npg1-port={}\npg1-user=postgres\npg1-socket-path={cluster}\n",
            postgres.port()
        );
        fs::write(config, text).unwrap();
        World { scratch, postgres }
    }

    fn pgbackrest(&self, words: &[&str]) -> Command {
        let mut command = self.postgres.beside("pgbackrest");
        command.arg(format!(
            "--config={}",
            self.scratch.join("c.conf").display()
        ));
        command
            .args(["--stanza=main", "--log-level-console=warn"])
            .args(words);
        command
    }

    fn settings(&self) -> String {
        let config = self.scratch.join("c.conf");
        let config = config.display();
        let other = if is_root() {
            "setpriv, --reuid=daemon, --regid=daemon, --clear-groups, "
        } else {
            ""
        };
        format!(
            "backups: [{{name: repo, server: shop, look: 200ms, pgbackrest: {{stanza: main, config: '{config}'}}}}, \
             {{name: typo, server: shop, look: 200ms, pgbackrest: {{stanza: mian, config: '{config}'}}}}, \
             {{name: second, server: shop, look: 200ms, pgbackrest: {{stanza: main, repository: 2, config: '{config}'}}}}, \
             {{name: other, server: shop, look: 200ms, pgbackrest: {{stanza: main, config: '{config}', command: [{other}pgbackrest]}}}}]"
        )
    }

    /// The files of a segment, one in each repository.
    fn files_of(&self, segment: Segment) -> Vec<PathBuf> {
        let name = segment.name(SEGMENT);
        let folders = ["one", "two"].map(|repository| {
            self.scratch
                .join(format!("{repository}/archive/main/15-1/{}", &name[..16]))
        });
        let files = folders
            .iter()
            .flat_map(|folder| fs::read_dir(folder).unwrap().flatten());
        files
            .map(|entry| entry.path())
            .filter(|path| {
                path.file_name()
                    .unwrap()
                    .to_string_lossy()
                    .starts_with(&format!("{name}-"))
            })
            .collect()
    }
}

/// The numbers of segments that the archive lacked at two looks.
fn missing(facts: &Facts) -> Vec<u64> {
    let gaps = facts.chain.iter().flat_map(|chain| &chain.missing);
    gaps.flat_map(|gap| gap.numbers.clone()).collect()
}

/// The number of the newest segment.
fn newest(facts: &Facts) -> Option<u64> {
    Some(facts.chain.as_ref()?.newest?.number)
}

async fn until(
    watched: &Watched,
    source: &str,
    what: &str,
    holds: impl Fn(&Facts) -> bool,
) -> Facts {
    eventually_async(what, DEADLINE, || async {
        let seen = facts(watched, source)?;
        (seen.sighting.is_some() && holds(&seen)).then_some(seen)
    })
    .await
}

fn of_kind(facts: &Facts, kind: Kind) -> usize {
    let done = backups(facts)
        .iter()
        .filter(|backup| backup.state == State::Done);
    done.filter(|backup| backup.kind == kind).count()
}

fn has_running(facts: &Facts) -> bool {
    backups(facts)
        .iter()
        .any(|backup| backup.state == State::Running)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_pgbackrest_tells_and_what_it_does_not() {
    let world = World::start();
    let watched = Watched::over(&world.settings(), world.scratch.path());
    let lacks = |words: &'static str| {
        move |seen: &Facts| complaints(seen).iter().any(|each| each.starts_with(words))
    };
    until(
        &watched,
        "repo",
        "there is no stanza yet",
        lacks("repository 1: missing stanza path"),
    )
    .await;

    run(&mut world.pgbackrest(&["stanza-create"]));
    until(
        &watched,
        "repo",
        "there is no backup yet",
        lacks("repository 1: no valid backups"),
    )
    .await;
    for kind in ["full", "diff", "incr"] {
        run(&mut world.pgbackrest(&["--repo=1", &format!("--type={kind}"), "backup"]));
    }
    let seen = until(&watched, "repo", "all kinds are there", |seen| {
        !has_running(seen)
            && of_kind(seen, Kind::Full) == 1
            && of_kind(seen, Kind::Differential) == 1
            && of_kind(seen, Kind::Incremental) == 1
    })
    .await;
    let system = world.postgres.sql(
        "postgres",
        "SELECT system_identifier FROM pg_control_system()",
    );
    for backup in backups(&seen) {
        assert_eq!(
            backup.origin,
            Some(Origin::Cluster(system.parse().unwrap()))
        );
        assert!(
            backup.bytes > 0 && backup.took.is_some() && backup.repository.as_deref() == Some("1"),
            "{backup:?}"
        );
        let (first, last) = backup.wal.unwrap();
        assert!(
            first <= last && Some(last.number) <= newest(&seen),
            "{backup:?}"
        );
        assert_eq!(backup.trouble, None, "{backup:?}");
    }
    assert_eq!(missing(&seen), Vec::<u64>::new());
    assert_eq!(
        backups(&seen)
            .iter()
            .filter(|backup| backup.parent.is_some())
            .count(),
        2
    );

    let second = until(&watched, "second", "the other repository", |seen| {
        newest(seen).is_some() && !has_running(seen)
    })
    .await;
    assert_eq!(
        (backups(&second).len(), complaints(&second).len()),
        (0, 1),
        "{second:?}"
    );
    let typo = until(&watched, "typo", "a stanza that nobody made", |_| true).await;
    assert!(
        backups(&typo).is_empty() && complaints(&typo)[0].contains("missing stanza path"),
        "{typo:?}"
    );
    if is_root() {
        let denied = || async {
            let records = watched.records.all();
            let other = records
                .iter()
                .find(|record| record.settings.name == "other")?;
            other.facts.obstacle.clone()
        };
        let denied = eventually_async("another user may not look", DEADLINE, denied).await;
        assert_eq!(denied.problem(), "tool_failed");
        assert!(denied.to_string().contains("Permission denied"), "{denied}");
    }
    a_gap(&world, &watched).await;
    an_orphan(&world, &watched).await;
    a_dead_archive(&world, &watched).await;
    watched.stop().await;
}

/// A segment that one repository lost is in the other; one that both lost is missing, and pgBackRest says that all is well.
async fn a_gap(world: &World, watched: &Watched) {
    let seen = facts(watched, "repo").unwrap();
    let oldest = backups(&seen)
        .iter()
        .min_by_key(|backup| backup.finished)
        .unwrap();
    let lost = Segment {
        number: oldest.wal.unwrap().1.number + 1,
        timeline: 1,
    };
    let files = world.files_of(lost);
    assert_eq!(files.len(), 2, "{files:?}");
    let away =
        |file: &Path| fs::rename(file, world.scratch.join(file.file_name().unwrap())).unwrap();
    away(&files[0]);
    let second = || async { facts(watched, "second").map(|seen| missing(&seen)) };
    assert_eq!(
        eventually_async("the other still has it", DEADLINE, second).await,
        Vec::<u64>::new()
    );
    away(&files[1]);
    until(watched, "repo", "it is missing", |seen| {
        missing(seen) == [lost.number]
    })
    .await;
    let info = run(&mut world.pgbackrest(&["--repo=1", "info"]));
    assert!(info.contains("status: ok"), "{info}");
    run(&mut world.pgbackrest(&["--repo=1", "verify"]));
}

/// The main process is killed; a worker that it leaves behind keeps the lock.
async fn an_orphan(world: &World, watched: &Watched) {
    let mut backup = world.pgbackrest(&[
        "--repo=1",
        "--type=full",
        "--compress-type=bz2",
        "--compress-level=9",
        "backup",
    ]);
    let mut main = backup
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let worker = eventually("a worker copies", DEADLINE, || {
        children(main.id()).first().copied()
    });
    let send =
        |id: u32, signal| kill_process(Pid::from_raw(id.cast_signed()).unwrap(), signal).unwrap();
    send(worker, Signal::STOP);
    main.kill().unwrap();
    main.wait().unwrap();
    let held = until(watched, "repo", "the lock is held", has_running).await;
    let since = |seen: &Facts| {
        backups(seen)
            .iter()
            .find(|backup| backup.state == State::Running)
            .map(|backup| backup.finished)
    };
    let looked = || watched.value("probe_timestamp_seconds", "repo");
    let before = looked();
    eventually_async("it is looked at again", DEADLINE, || async {
        (looked() > before).then_some(())
    })
    .await;
    let again = until(watched, "repo", "it is held for good", has_running).await;
    assert_eq!(
        since(&again),
        since(&held),
        "it runs since it was first seen"
    );
    let info = run(&mut world.pgbackrest(&["--repo=1", "info"]));
    assert!(info.contains("status: ok"), "{info}");
    send(worker, Signal::KILL);
    eventually("the orphan is gone", DEADLINE, || {
        (!is_alive(worker)).then_some(())
    });
    until(watched, "repo", "the lock is free", |seen| {
        !has_running(seen)
    })
    .await;
}

/// `info` is content although nothing is archived any more; the listing shows how far it came.
async fn a_dead_archive(world: &World, watched: &Watched) {
    let sql = |sql: &str| world.postgres.sql("postgres", sql);
    sql("ALTER SYSTEM SET archive_command = 'false'");
    sql("SELECT pg_reload_conf()");
    sql("CREATE TABLE t AS SELECT 1");
    let current = sql("SELECT pg_walfile_name(pg_current_wal_lsn())");
    sql("SELECT pg_switch_wal()");
    let current = Segment::parse(&current, SEGMENT).unwrap().number;
    let failed = || (sql("SELECT failed_count > 0 FROM pg_stat_archiver") == "t").then_some(());
    eventually("archiving fails", DEADLINE, failed);
    let info = run(&mut world.pgbackrest(&["--repo=1", "info"]));
    assert!(info.contains("status: ok"), "{info}");
    let seen = until(watched, "repo", "the archive stands still", |_| true).await;
    assert!(
        newest(&seen).is_some_and(|newest| newest < current),
        "{current}"
    );
    // Its server may stop without waiting for the archiver.
    sql("ALTER SYSTEM SET archive_command = '/bin/true'");
    sql("SELECT pg_reload_conf()");
}

/// The processes that a process started.
fn children(parent: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter(|id: &u32| {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        let parent_of = stat
            .rsplit_once(')')
            .and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse().ok());
        parent_of == Some(parent)
    })
    .collect()
}
