//! How many series a source has: by what was promised and what kinds of backups there are, not by how many there are.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{create_dir, create_dir_all, write};
use std::path::Path;
use std::time::Duration;

use pgvigil::backup::drill::{self, Check, Outcome, Phase, Report, Reports};
use pgvigil::backup::{Kind, Record, watch_exposure};
use pgvigil::document::{Reader, parse};
use pgvigil::sample::{Metric, Sample, Source, Timestamp};
use pgvigil::scrape::Board;
use tokio_util::sync::CancellationToken;

use super::base;
use super::places::PLAIN;
use crate::backup::watched::{Watched, settings};
use crate::harness::{Scratch, eventually_async};

const DEADLINE: Duration = Duration::from_secs(60);
const RHYTHM: Duration = Duration::from_millis(200);
const DAY: u64 = 86_400;
/// The system identifiers that the answer and the base backups name.
const OF_INFO: &str = "7711263572317271532";
const OF_BASE: &str = "7711275711161325020";
const INFO: &str =
    include_str!("../../../../src/backup/tool/testdata/pgbackrest/ok-full-diff-incr.json");

/// The series of the source `n` by metric, once it has judged so many backups, with what its drill and what its server's
/// archive give, which is of this cluster; `more` sources are beside it.
async fn series(
    cluster: &str,
    place: &str,
    more: &str,
    judged: usize,
    state_dir: &Path,
) -> BTreeMap<String, usize> {
    let text =
        format!("backups: [{{name: n, server: s, look: 200ms, verify_rate: 1GiB, {place}}}{more}]");
    let watched = Watched::over(&text, state_dir);
    let stop = CancellationToken::new();
    tell_of_server(&watched.board, cluster);
    let exposed = {
        let (board, records) = (watched.board.clone(), watched.records.clone());
        let (path, stop) = (state_dir.to_owned(), stop.clone());
        tokio::spawn(async move {
            watch_exposure(vec!["s".into()], RHYTHM, board, records, &path, stop).await;
        })
    };
    let drilled = tokio::spawn(drill::watch(
        drills(state_dir),
        settings(&text),
        watched.board.clone(),
        std::sync::Arc::new(|_: &str, _: Option<&str>| drill::Rows::new()),
        Reports::new(state_dir),
        state_dir.to_owned(),
        stop.clone(),
    ));
    let is_judged = |record: &Record| {
        let backups = &record.facts.sighting.as_ref()?.backups;
        let done = backups
            .iter()
            .filter(|backup| backup.state.is_judged())
            .count();
        (record.settings.name == "n" && done == judged).then_some(())
    };
    watched.known("all are judged", is_judged).await;
    // Those that come with the second look are there, too.
    let looked = watched.records.of("n").unwrap().facts.looked;
    eventually_async("it is looked at again", DEADLINE, || async {
        (watched.records.of("n")?.facts.looked > looked).then_some(())
    })
    .await;
    let asked = Timestamp::now();
    eventually_async("what would be lost is told", DEADLINE, || async {
        let (status, _) = watched.board.latest(&Source::new("s", "", "exposure"))?;
        (status.last_success? > asked).then_some(())
    })
    .await;
    let mut series = BTreeMap::new();
    for (_, samples) in watched.board.current() {
        let of_source =
            |sample: &&Sample| sample.labels.iter().any(|label| label == ("source", "n"));
        for sample in samples.iter().filter(of_source) {
            *series.entry(sample.family.name.to_string()).or_default() += 1;
        }
    }
    stop.cancel();
    exposed.await.unwrap();
    drilled.await.unwrap();
    watched.stop().await;
    series
}

/// What the collectors would read of the server.
fn tell_of_server(board: &Board, cluster: &str) {
    let gauge = |name, value| Metric::gauge(name, "").sample(&[], value);
    let cluster = [("system_identifier", cluster)];
    let readings = [
        (
            "control_data",
            vec![Metric::gauge("pg_control_system", "").sample(&cluster, 1.0)],
        ),
        (
            "wal_position",
            vec![
                gauge("pg_wal_position_bytes", 1e10),
                gauge("pg_wal_position_fingerprint", 1.0),
            ],
        ),
        (
            "wal_archived",
            vec![gauge("pg_wal_archived_position_bytes", 1e7)],
        ),
    ];
    for (collector, samples) in readings {
        let source = Source::new("s", "", collector);
        board.declare(&source, Duration::from_secs(600), 3);
        board.publish(&source, Timestamp::now(), Duration::ZERO, samples, 0);
    }
}

/// The drill of the source, where it has a report.
fn drills(state_dir: &Path) -> Vec<drill::Settings> {
    let reports = Reports::new(state_dir);
    reports.refresh();
    if reports.all().is_empty() {
        return Vec::new();
    }
    let text = "drills: [{source: n, every: 7d, freshness: SELECT now()}]";
    let reader = Reader::new(None);
    reader.read(&parse("test", text).unwrap(), drill::Settings::read_all)
}

/// A drill that ended just now.
fn report(backup: &str) -> Report {
    let now = Timestamp::now();
    Report {
        source: "n".into(),
        backup: backup.into(),
        kind: Some(Kind::Dump),
        started: now,
        finished: now,
        recovery_point: None,
        target: None,
        phases: BTreeMap::from([(Phase::Restore, 1.0)]),
        outcome: Outcome::Restored,
        restored_bytes: 1,
        data_age: Some(1.0),
        checks: Vec::<Check>::new(),
        major: Some(15),
        is_alone: Some(true),
    }
}

/// What an earlier run has seen: how much was stored on ten days, and backups of these kinds that are gone.
fn remember(state_dir: &Path, kinds: &[&str]) {
    let now = Timestamp::now();
    let today = now.0 / 1000 / DAY as i64;
    let (mut days, mut backups) = (String::new(), String::new());
    for ago in 1..=10_i64 {
        let separator = if ago == 1 { "" } else { "," };
        let stored = (20 - ago) * 1_000_000;
        write!(days, "{separator}\"{}\":{stored}", today - ago).unwrap();
        for kind in kinds {
            let separator = if backups.is_empty() { "" } else { "," };
            let moment = now.0 - ago * 100 * DAY as i64 * 1000;
            write!(
                backups,
                "{separator}\"{kind}{ago}\":{{\"kind\":\"{kind}\",\"moment\":{moment},\"bytes\":9,\"missed\":{}}}",
                now.0
            )
            .unwrap();
        }
    }
    create_dir_all(state_dir).unwrap();
    let past = format!(
        "{{\"version\":1,\"past\":{{\"since\":0,\"days\":{{{days}}},\"backups\":{{{backups}}}}}}}"
    );
    write(state_dir.join("backup_past-n.json"), past).unwrap();
}

/// What pgBackRest lists of an archive with these segments.
fn archive(segments: std::ops::RangeInclusive<u32>) -> String {
    let files = segments.map(|number| {
        let name = format!("0000000100000000{number:08X}");
        format!("\"0000000100000000/{name}-4ab84096dee134150cead2c271c78c7289af9e32.lz4\": {{\"type\": \"file\", \"size\": 69398, \"time\": 1795418996}}")
    });
    format!("{{{}}}", files.collect::<Vec<_>>().join(", "))
}

fn sum(series: &BTreeMap<String, usize>) -> usize {
    series.values().sum()
}

/// One promise, on the folder of a script.
#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_backups_have_as_many_series_as_ten() {
    let scratch = Scratch::new();
    let mut counts = Vec::new();
    for backups in [10, 1000] {
        let folder = scratch.join(backups.to_string());
        create_dir(&folder).unwrap();
        for number in 0..backups {
            // One of them is damaged.
            let content = if number == 3 { "" } else { PLAIN };
            write(folder.join(format!("{number}.sql")), content).unwrap();
        }
        let place = format!("files: '{}', every: 1d", folder.display());
        let state_dir = scratch.join(format!("state-{backups}"));
        remember(&state_dir, &[]);
        counts.push(series(OF_INFO, &place, "", backups, &state_dir).await);
    }
    assert_eq!(counts[0], counts[1]);
    assert_eq!(sum(&counts[0]), 31, "{:#?}", counts[0]);
}

/// Full, differential and incremental backups with their WAL, all promises kept.
#[tokio::test(flavor = "multi_thread")]
async fn a_repository_of_three_kinds_has_few_series() {
    let scratch = Scratch::new();
    let (info, archive) = (
        scratch.write("info.json", INFO),
        scratch.write("archive.json", archive(0x13..=0x19)),
    );
    let place = format!(
        "pgbackrest: {{stanza: main, file: '{}', archive_file: '{}'}}, every: 1d, full_every: 7d, keep: 30d, rpo: 5m",
        info.display(),
        archive.display()
    );
    remember(scratch.path(), &["full", "differential", "incremental"]);
    let series = series(OF_INFO, &place, "", 3, scratch.path()).await;
    // How far WAL is behind is known once an answer was written after the server was first read.
    let behind = "pg_backup_wal_behind_segments";
    assert!(!series.contains_key(behind), "{series:#?}");
    assert_eq!(sum(&series) + 1, 55, "{series:#?}");
}

/// Of every kind of backup with WAL, with every promise made, a log, a drill and a backup being written.
#[tokio::test(flavor = "multi_thread")]
async fn a_source_of_everything_has_few_series() {
    let scratch = Scratch::new();
    let (folder, log) = (scratch.join("all"), scratch.write("log", ""));
    create_dir(&folder).unwrap();
    base::lay(&folder.join("base"), &base::parent());
    base::lay(&folder.join("changes"), &base::content(true));
    for number in 0..5 {
        write(folder.join(format!("{number}.sql")), PLAIN).unwrap();
    }
    write(folder.join("5.sql.part"), PLAIN).unwrap();
    for number in 2..8 {
        let name = format!("0000000100000000{number:08X}");
        std::fs::File::create(folder.join(name))
            .unwrap()
            .set_len(1 << 20)
            .unwrap();
    }
    let place = format!(
        "files: '{0}', database: shop, full_every: 7d, keep: 30d, rpo: 5m, copy_of: other, offsite: true, media: tape, log: '{1}', expect_rows: {{public.users: 1}}",
        folder.display(),
        log.display()
    );
    let other = format!(
        ", {{name: other, server: s, files: '{}'}}",
        folder.display()
    );
    let state_dir = scratch.join("state");
    remember(&state_dir, &["full", "incremental", "dump"]);
    Reports::new(&state_dir).keep(&report("4.sql")).unwrap();
    let series = series(OF_BASE, &place, &other, 7, &state_dir).await;
    assert_eq!(sum(&series), 72, "{series:#?}");
}
