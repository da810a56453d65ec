//! What the store takes: ingestion, bytes, snapshots, a day of samples.

use std::fs::{self, File};
use std::io::{BufReader, BufWriter};
use std::path::Path;
use std::time::{Duration, Instant};

use criterion::{BatchSize, Criterion};
use pgvigil::sample::{Labels, NAME, Timestamp};
use pgvigil::store::{Place, Settings, Store};
use tokio::runtime::Runtime;

use crate::it::harness::{Postgres, Prometheus, Written, remote_write};
use crate::ours;
use crate::scene::{START, STEP, Scene, sources};
use crate::table::Table;
use crate::theirs;

/// One cycle of 20,000 samples: ours are appended to known series, as a collector does; Prometheus' come as a request of
/// remote write that is ready to be sent.
pub fn ingestion(criterion: &mut Criterion, table: &mut Table) {
    let scene = Scene::of_the_rules(20_000, 1);
    let name = "ingestion of 20000 samples";
    let mut group = criterion.benchmark_group(name);
    let store = ours::empty();
    let mut places = vec![Place::default(); scene.series.len()];
    let mut cycle = 0;
    group.bench_function("pgvigil", |bencher| {
        bencher.iter(|| {
            cycle += 1;
            ours::append(&store, &scene, cycle, &mut places);
        });
    });
    let runtime = Runtime::new().unwrap();
    let prometheus = runtime.block_on(theirs::over(&scene, &[]));
    let (client, url) = (reqwest::Client::new(), prometheus.url());
    let mut cycle = 0;
    group.bench_function("Prometheus", |bencher| {
        let ready = || {
            cycle += 1;
            theirs::cycle(&scene, cycle)
        };
        let send = |bodies: Vec<Vec<u8>>| {
            for body in bodies {
                runtime.block_on(remote_write::send(&client, &url, body));
            }
        };
        bencher.iter_batched(ready, send, BatchSize::PerIteration);
    });
    group.finish();
    table.measured(name);
}

/// 20,000 series with an hour of samples: saved, and loaded. Prometheus saves a snapshot of its head, and loads its log
/// when it starts.
pub fn snapshots(criterion: &mut Criterion, table: &mut Table) {
    let scene = Scene::of_the_rules(20_000, 240);
    let store = ours::empty();
    ours::fill(&store, &scene, 0..scene.cycles);
    let runtime = Runtime::new().unwrap();
    let mut prometheus = runtime.block_on(theirs::over(&scene, &["--web.enable-admin-api"]));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("snapshot");
    let name = "snapshot of 20000 series with 240 samples, saved";
    let mut group = criterion.benchmark_group(name);
    group.bench_function("pgvigil", |bencher| {
        bencher.iter(|| {
            let mut to = BufWriter::new(File::create(&file).unwrap());
            store.write_snapshot(&mut to, scene.end()).unwrap();
            to.into_inner().unwrap().sync_all().unwrap();
        });
    });
    let client = reqwest::Client::new();
    let path = format!("{}/api/v1/admin/tsdb/snapshot", prometheus.url());
    group.bench_function("Prometheus", |bencher| {
        bencher.iter(|| {
            let sent = runtime.block_on(client.post(&path).send()).unwrap();
            assert!(sent.status().is_success());
        });
    });
    group.finish();
    table.measured(name);
    let size = fs::metadata(&file).unwrap().len() as f64 / 1e6;
    let theirs = blocks(&prometheus.data().join("snapshots")) / 1e6;
    table.row("its size", "MB", size, Some(theirs));
    let settings = Settings {
        retention: Duration::MAX,
        max_bytes: u64::MAX,
    };
    let begun = Instant::now();
    let from = BufReader::new(File::open(&file).unwrap());
    let (loaded, _) = Store::read_snapshot(from, &settings, START, scene.end()).unwrap();
    let took = begun.elapsed();
    assert_eq!(loaded.size().samples, store.size().samples);
    let theirs = prometheus.restart().as_secs_f64();
    table.row("loaded at the start", "s", took.as_secs_f64(), Some(theirs));
}

/// The bytes of the newest block below a folder.
fn blocks(folder: &Path) -> f64 {
    let entries = |folder: &Path| {
        fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
    };
    let newest = entries(folder).max().unwrap();
    fn bytes(path: &Path) -> u64 {
        match path.is_dir() {
            true => fs::read_dir(path)
                .unwrap()
                .map(|entry| bytes(&entry.unwrap().path()))
                .sum(),
            false => path.metadata().unwrap().len(),
        }
    }
    bytes(&newest) as f64
}

/// Every number that a real PostgreSQL tells of its databases and tables: `name label value` per line.
const FACTS: &str = "
    SELECT 'database_' || key || ' ' || coalesce(datname, 'shared') || ' ' || value
      FROM pg_stat_database d, jsonb_each_text(to_jsonb(d)) WHERE value ~ '^-?[0-9]+([.][0-9]+)?$'
    UNION ALL
    SELECT 'table_' || key || ' ' || relname || ' ' || value
      FROM pg_stat_all_tables t, jsonb_each_text(to_jsonb(t)) WHERE value ~ '^-?[0-9]+([.][0-9]+)?$'
    UNION ALL
    SELECT 'bgwriter_' || key || ' - ' || value
      FROM pg_stat_bgwriter b, jsonb_each_text(to_jsonb(b)) WHERE value ~ '^-?[0-9]+([.][0-9]+)?$'";

/// What a sample of a real PostgreSQL under a little work takes, once its series is there; Prometheus' as a block on disk,
/// its index left out.
pub fn bytes_per_sample(table: &mut Table) {
    const CYCLES: i64 = 241;
    let server = Postgres::start(18);
    server.sql(
        "postgres",
        "CREATE TABLE busy (id int PRIMARY KEY, note text)",
    );
    let store = ours::empty();
    let mut read: Vec<(Labels, Vec<(i64, f64)>)> = Vec::new();
    let mut first = 0;
    for cycle in 0..CYCLES {
        server.sql(
            "postgres",
            &format!("INSERT INTO busy SELECT {cycle} * 100 + n, md5(n::text) FROM generate_series(1, 1 + {cycle} % 7) n"),
        );
        let at = Timestamp(START.0 + cycle * STEP + cycle * 13 % 7);
        for line in server.sql("postgres", FACTS).lines() {
            let words: Vec<&str> = line.split(' ').collect();
            let labels = Labels::new([(NAME, words[0]), ("of", words[1])]);
            let value = words[2].parse().unwrap();
            store.append(at, &sources(), [(labels.clone(), value)]);
            match read.iter_mut().find(|(known, _)| *known == labels) {
                Some((_, samples)) => samples.push((at.0, value)),
                None => read.push((labels, vec![(at.0, value)])),
            }
        }
        if cycle == 0 {
            first = store.size().bytes;
        }
    }
    let size = store.size();
    let samples = (size.samples - size.series) as f64;
    let ours = (size.bytes - first) as f64 / samples;
    let written: Vec<Written<'_>> = read
        .iter()
        .map(|(labels, samples)| Written {
            labels: labels.iter().collect(),
            samples: samples.clone(),
        })
        .collect();
    let runtime = Runtime::new().unwrap();
    let prometheus = runtime.block_on(Prometheus::written(&written, &["--web.enable-admin-api"]));
    let path = format!("{}/api/v1/admin/tsdb/snapshot", prometheus.url());
    runtime
        .block_on(reqwest::Client::new().post(path).send())
        .unwrap();
    let theirs = chunks(&prometheus.data().join("snapshots")) / size.samples as f64;
    let what = format!(
        "bytes per sample, {} real series with {CYCLES} samples",
        size.series
    );
    table.row(&what, "B", ours, Some(theirs));
}

/// The bytes of the chunk files below a folder.
fn chunks(folder: &Path) -> f64 {
    let mut sum = 0.0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.ends_with("chunks") {
            let files = fs::read_dir(&path).unwrap();
            sum += files
                .map(|file| file.unwrap().metadata().unwrap().len() as f64)
                .sum::<f64>();
        } else if path.is_dir() {
            sum += chunks(&path);
        }
    }
    sum
}

/// 20,000 series over 24 h at 15 s, in memory.
pub fn a_day(table: &mut Table) {
    let scene = Scene::of_the_rules(20_000, 5_760);
    let before = resident();
    let store = ours::empty();
    ours::fill(&store, &scene, 0..scene.cycles);
    let size = store.size();
    assert_eq!(size.samples, 20_000 * 5_760);
    table.row(
        "20000 series x 24 h at 15 s, resident",
        "MB",
        resident() - before,
        None,
    );
    table.row(
        "the same, as the store counts",
        "MB",
        size.bytes as f64 / 1e6,
        None,
    );
}

/// The memory of this process, in MB.
fn resident() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap();
    let kilobytes: f64 = line.split_whitespace().next().unwrap().parse().unwrap();
    kilobytes * 1024.0 / 1e6
}
