//! How much would be lost with each server now. Takes what the collectors read of its WAL and what the sources of
//! backups show of it; hands samples to the board.

mod archive;
mod clock;
mod memory;
mod metric;
mod recovery;
mod repository;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use tracing::warn;

pub use metric::EXPOSURE_METRICS;
pub use recovery::USUAL_OBJECTIVE;

use super::live::Live;
use super::wal::USUAL_SEGMENT_BYTES;
use super::{Record, Records};
use crate::sample::{Sample, Source, Timestamp};
use crate::scrape::{Board, LIVENESS};
use archive::Archive;
use clock::{Exposure, Reading};
use memory::Memory;
use recovery::{Moment, Shown};

/// The board is looked at this often at least for what was read.
const GLANCE: Duration = Duration::from_secs(1);
/// What is known is kept this often.
const KEPT: Duration = Duration::from_secs(60);
/// The collectors that are read.
const POSITION: &str = "wal_position";
const ARCHIVED: &str = "wal_archived";
/// Samples outlive their source by so many beats.
const LIFETIME: u32 = 3;

/// Watches the archive of each server until stopped. `interval` is how often servers are read; samples are published at
/// least as often, so that they grow whatever becomes of the server. What is known is kept below `state_dir`.
pub async fn watch_exposure(
    servers: Vec<String>,
    interval: Duration,
    board: Arc<Board>,
    records: Arc<Records>,
    state_dir: &Path,
    stop: CancellationToken,
) {
    let (clock, memory) = (Steady::begin(), Memory::new(state_dir));
    let mut known = memory.load(clock.now());
    let mut watches: Vec<Watch> = servers
        .into_iter()
        .map(|server| Watch::new(known.remove(&server).unwrap_or_default(), server))
        .collect();
    for watch in &watches {
        board.declare(&watch.source, interval, LIFETIME);
    }
    let mut glances = tokio::time::interval(GLANCE.min(interval / 4));
    glances.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut keeper = Keeper {
        memory,
        kept: Instant::now(),
        is_failing: false,
    };
    let mut before = clock.now();
    while stop.run_until_cancelled(glances.tick()).await.is_some() {
        let now = clock.now();
        let records = records.all();
        for watch in &mut watches {
            watch.glance(&board, &records, before.steady, now);
            if watch.is_due(interval) {
                watch.publish(&board, &records, now);
            }
        }
        if keeper.kept.elapsed() >= KEPT {
            keeper.keep(now, &watches);
        }
        before = now;
    }
    keeper.keep(clock.now(), &watches);
}

/// A clock that does not step when somebody sets the machine's.
struct Steady {
    began: Instant,
    at: Timestamp,
}

impl Steady {
    fn begin() -> Steady {
        Steady {
            began: Instant::now(),
            at: Timestamp::now(),
        }
    }

    fn now(&self) -> Moment {
        Moment {
            wall: Timestamp::now(),
            steady: self.at + self.began.elapsed(),
        }
    }
}

struct Keeper {
    memory: Memory,
    kept: Instant,
    is_failing: bool,
}

impl Keeper {
    fn keep(&mut self, now: Moment, watches: &[Watch]) {
        self.kept = Instant::now();
        let archives: BTreeMap<&str, &Archive> = watches
            .iter()
            .map(|watch| (watch.server.as_str(), &watch.archive))
            .collect();
        let failed = self.memory.save(now, &archives).err();
        if let Some(error) = failed.as_ref().filter(|_| !self.is_failing) {
            warn!(
                "cannot remember what is archived, it is found out anew after a restart: {error}"
            );
        }
        self.is_failing = failed.is_some();
    }
}

/// What is known of one server.
struct Watch {
    server: String,
    source: Source,
    archive: Archive,
    /// By the name of the source of backups.
    shown: BTreeMap<String, Shown>,
    segment_bytes: u64,
    /// When position and archive were read for the last time.
    read: [Option<Timestamp>; 2],
    published: Option<Instant>,
    has_news: bool,
}

impl Watch {
    fn new(archive: Archive, server: String) -> Watch {
        Watch {
            source: Source::new(&server, "", "exposure"),
            segment_bytes: USUAL_SEGMENT_BYTES,
            server,
            archive,
            shown: BTreeMap::new(),
            read: [None; 2],
            published: None,
            has_news: false,
        }
    }

    /// Takes what has been read since the glance before.
    fn glance(&mut self, board: &Board, records: &[Arc<Record>], before: Timestamp, now: Moment) {
        let live = Live::of(board, &self.server);
        self.segment_bytes = live.segment_bytes.unwrap_or(USUAL_SEGMENT_BYTES);
        self.archive.identify(live.system_identifier);
        self.read_position(board, before, now);
        self.read_archived(board, before);
        self.has_news |= self.archive.hear(is_silent(board, &self.server));
        for record in of_server(records, &self.server) {
            let shown = self.shown.entry(record.settings.name.clone()).or_default();
            self.has_news |= shown.learn(record, &self.archive, now);
        }
        self.forget();
    }

    fn read_position(&mut self, board: &Board, before: Timestamp, now: Moment) {
        let source = Source::new(&self.server, "", POSITION);
        let Some((status, samples)) = board.latest(&source) else {
            return;
        };
        if status.last_success > self.read[0] {
            self.read[0] = status.last_success;
            self.has_news = true;
            // It was read since the glance before, and the statement began that much earlier.
            let at = before.before(status.took);
            let read = status.last_success.map(|read| now.steady_of(read));
            let seen = read.unwrap_or(now.steady).clamp(before, now.steady);
            let value = |name| value(&samples, name);
            let reading = value("pg_wal_position_bytes").zip(value("pg_wal_position_fingerprint"));
            let reading = reading.map(|(position, fingerprint)| Reading {
                at,
                seen,
                position: position as u64,
                fingerprint: fingerprint as u64,
            });
            self.archive.position(reading, status.interval);
        }
    }

    fn read_archived(&mut self, board: &Board, before: Timestamp) {
        let source = Source::new(&self.server, "", ARCHIVED);
        let Some((status, samples)) = board.latest(&source) else {
            return;
        };
        if status.last_success > self.read[1] {
            self.read[1] = status.last_success;
            self.has_news = true;
            let age = value(&samples, "pg_wal_archived_position_age_seconds");
            let age = age.and_then(|age| Duration::try_from_secs_f64(age.max(0.0)).ok());
            let position = value(&samples, "pg_wal_archived_position_bytes");
            let read = position.map(|position| (position as u64, age));
            self.archive.archived(before.before(status.took), read);
        }
    }

    /// What no source asks for any more is not kept. That is not yet so of what the server says it has archived since the
    /// last look: the next may show that it is nowhere.
    fn forget(&mut self) {
        if !self.shown.values().all(Shown::is_known) {
            return;
        }
        let seen = self.shown.values().filter_map(Shown::unbroken_end);
        if let Some(oldest) = seen.chain(self.archive.end()).min() {
            self.archive.forget_before(oldest);
        }
    }

    fn is_due(&self, interval: Duration) -> bool {
        self.has_news || self.published.is_none_or(|at| at.elapsed() >= interval)
    }

    fn publish(&mut self, board: &Board, records: &[Arc<Record>], now: Moment) {
        let has_base = self.shown.values().any(|shown| shown.has_base);
        let mut samples = Vec::new();
        if let Some(exposure) = self.archive.exposure(now.steady) {
            samples = of_exposure(exposure, now.steady);
        }
        for record in of_server(records, &self.server) {
            if let Some(shown) = self.shown.get(&record.settings.name) {
                let (archive, bytes) = (&self.archive, self.segment_bytes);
                samples.extend(recovery::samples(
                    record, shown, archive, bytes, has_base, now,
                ));
            }
        }
        board.publish(&self.source, now.wall, Duration::ZERO, samples, 0);
        (self.published, self.has_news) = (Some(Instant::now()), false);
    }
}

/// Whether the last try to read how a server's archive stands failed, or that for a sign of life, which comes sooner.
fn is_silent(board: &Board, server: &str) -> bool {
    let failed = |collector| {
        let latest = board.latest(&Source::new(server, "", collector));
        // What nobody may read says nothing about the rest.
        latest.is_some_and(|(status, _)| status.error.is_some() && !status.denied)
    };
    [LIVENESS, POSITION, ARCHIVED].into_iter().any(failed)
}

fn of_server<'r>(
    records: &'r [Arc<Record>],
    server: &str,
) -> impl Iterator<Item = &'r Arc<Record>> {
    records
        .iter()
        .filter(move |record| record.settings.server == server)
}

fn value(samples: &[Sample], metric: &str) -> Option<f64> {
    let mut found = samples
        .iter()
        .filter(|sample| *sample.family.name == *metric);
    found.next().map(|sample| sample.value)
}

fn of_exposure(exposure: Exposure, now: Timestamp) -> Vec<Sample> {
    let age = |at: Timestamp| now.since(at).as_secs_f64();
    let least = exposure.lost_since.map_or(0.0, age);
    let mut samples = vec![
        metric::LEAST.sample(&[], least),
        metric::BYTES.sample(&[], exposure.bytes as f64),
        metric::EXACT.sample(&[], f64::from(u8::from(exposure.is_exact))),
    ];
    // With no bound from above, what is certain is all there is to say.
    if let Some(safe) = exposure.safe_until {
        samples.push(metric::SECONDS.sample(&[], age(safe)));
    } else if exposure.lost_since.is_some() {
        samples.push(metric::SECONDS.sample(&[], least));
    }
    samples
}
