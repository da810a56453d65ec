//! Watches one source: looks on its rhythm, has new files read one at a time, and publishes what is known.

mod look;
mod reading;
mod stock;
mod survey;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::archive::{Archive, Shown, Texts};
use super::bases::Lent;
use super::files::{Found, Listing};
use super::inspect::Progress;
use super::live::Live;
use super::log::Followed;
use super::memory::Memory;
use super::records::{Facts, Record, Records};
use super::sighting::Sighting;
use super::source::Look;
use super::standing::{Seen, settle};
use super::verdicts::Verdicts;
use super::{Obstacle, Reports, Settings};
use crate::sample::{Sample, Source, Timestamp};
use crate::scrape::Board;

use look::{Looked, Looks};
use reading::Readings;
pub use survey::{compare_copies, survey};

/// Samples are published at least this often, so that ages keep growing.
const BEAT: Duration = Duration::from_secs(60);
/// Samples outlive their source by so many beats.
const LIFETIME: u32 = 3;

/// What a source has to do beside others.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    /// It tells what is true of all sources of its server.
    pub(super) is_first: bool,
    /// Its backups are compared with copies elsewhere.
    pub(super) is_compared: bool,
}

/// What all sources share.
pub(super) struct Shared {
    pub(super) board: Arc<Board>,
    pub(super) records: Arc<Records>,
    pub(super) reports: Reports,
    /// One file is read at a time.
    pub(super) turn: Arc<Semaphore>,
}

/// Watches until stopped.
pub(super) async fn run(
    settings: Settings,
    part: Part,
    shared: Shared,
    state_dir: &Path,
    stop: CancellationToken,
) {
    let Shared {
        board,
        records,
        reports,
        turn,
    } = shared;
    let rhythm = settings.look.min(BEAT);
    let server = settings.server.clone();
    let live = || Live::of(&board, &server);
    let mut watch = Watch::new(settings, part, reports, state_dir);
    board.declare(&watch.source, rhythm, LIFETIME);
    let (mut look, mut beat) = (interval(watch.settings.look), interval(rhythm));
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut looks, mut readings) = (Looks::new(), Readings::new());
    loop {
        let has_news = tokio::select! {
            () = stop.cancelled() => return,
            _ = look.tick() => watch.begin_look(&mut looks),
            Some(looked) = looks.join_next() => match looked {
                Ok(looked) => watch.end_look(looked, &live(), Timestamp::now()),
                Err(fault) => watch.suffer(&fault),
            },
            Some(Ok(read)) = readings.join_next() => watch.learn(read),
            _ = beat.tick() => watch.lose_patience(),
        };
        watch.begin_reading(&mut readings, &turn, &stop);
        if has_news {
            watch.tell(&board, &records, &live(), Timestamp::now());
        }
    }
}

struct Watch {
    settings: Settings,
    part: Part,
    source: Source,
    state_dir: PathBuf,
    verdicts: Verdicts,
    memory: Memory,
    followed: Followed,
    reports: Reports,
    facts: Facts,
    /// What the last look at files listed, newest first.
    found: Vec<Seen>,
    /// What a tool told last, its WAL with it.
    told: Option<Sighting>,
    look_began: Option<Instant>,
    /// Files without a verdict, the newest last.
    unread: Vec<Found>,
    /// When the verdicts were last taken into account.
    stock_taken: Instant,
    /// How long that took.
    stock_cost: Duration,
    /// The WAL archive at the last look, and at the one before.
    archives: [Option<Archive>; 2],
    /// Base backups of other sources of the server, whose WAL may be here.
    lent: Lent,
    texts: Arc<[Texts; 2]>,
    /// Where it is kept how far a backup has been read.
    progress: PathBuf,
    /// The backup that was being read when pgvigil was last stopped.
    begun: Option<String>,
}

impl Watch {
    fn new(settings: Settings, part: Part, reports: Reports, state_dir: &Path) -> Self {
        let name = &settings.name;
        let progress = state_dir.join(format!("backup-{name}.progress"));
        let asked = settings.expect_rows.keys().cloned().collect();
        Watch {
            source: Source::new(&settings.server, "", &format!("backup:{name}")),
            verdicts: Verdicts::load(state_dir, name, asked),
            memory: Memory::load(state_dir, name),
            followed: Followed::load(state_dir, name),
            reports,
            begun: Progress::begun(&progress),
            state_dir: state_dir.to_owned(),
            progress,
            part,
            settings,
            facts: Facts::default(),
            found: Vec::new(),
            told: None,
            look_began: None,
            unread: Vec::new(),
            stock_taken: Instant::now(),
            stock_cost: Duration::ZERO,
            archives: [None, None],
            lent: Lent::default(),
            texts: Arc::default(),
        }
    }

    fn lose_patience(&mut self) -> bool {
        let waited = self
            .look_began
            .map(|began| began.elapsed())
            .unwrap_or_default();
        if waited > self.settings.place.patience() {
            let silence = self.settings.place.silence(waited.as_secs());
            self.fail(silence, waited);
        }
        true
    }

    /// Takes in what a look brought, whatever is the matter with it.
    fn end_look(&mut self, looked: Looked, live: &Live, now: Timestamp) -> bool {
        self.look_began = None;
        self.take_log(looked.log);
        let doubt = match looked.look {
            Err(obstacle) => Some(obstacle),
            Ok((Look::Listing(listing), shown)) => {
                self.keep_archive(shown, live);
                self.sort(listing, now);
                None
            }
            Ok((Look::Sighting(told), apart)) => self.believe(told, apart, live, now),
        };
        if let Some(obstacle) = doubt {
            self.fail(obstacle, looked.took);
            return true;
        }
        if self.facts.obstacle.take().is_some() {
            info!(backup.name = %self.settings.name, "the backups can be looked at again");
        }
        (self.facts.looked, self.facts.took) = (Some(now), looked.took);
        true
    }

    /// Takes in what a tool told; what is the matter with it all the same.
    fn believe(
        &mut self,
        mut told: Sighting,
        apart: Option<Shown>,
        live: &Live,
        now: Timestamp,
    ) -> Option<Obstacle> {
        let doubt = self
            .settings
            .place
            .weigh(self.told.as_ref(), &mut told, now);
        let mut shown = told.wal.clone().map(Shown::told);
        if let Some(apart) = apart {
            shown.get_or_insert_default().add(apart);
        }
        self.keep_archive(shown, live);
        self.told = Some(told);
        self.take_stock();
        doubt
    }

    fn keep_archive(&mut self, shown: Option<Shown>, live: &Live) {
        self.archives.swap(0, 1);
        self.archives[0] = shown.map(|shown| Archive::of(shown, live.segment_bytes));
    }

    /// Tells what is settled from what is not, and what has been read from what has not.
    fn sort(&mut self, listing: Listing, now: Timestamp) {
        self.verdicts.prune(&listing.found);
        self.found = settle(&self.found, listing.found, self.settings.look, now);
        self.facts.sighting = Some(Sighting {
            space: listing.space,
            complaints: listing.complaints,
            ..Sighting::default()
        });
        let settled = self
            .found
            .iter()
            .rev()
            .filter(|seen| seen.is_settled)
            .map(|seen| &seen.found);
        self.unread = settled
            .filter(|found| self.verdicts.on(found).is_none())
            .cloned()
            .collect();
        // What was begun before a restart is finished first, while it is known how far it was read.
        if let Some(begun) = self.begun.take()
            && let Some(place) = (self.unread.iter()).position(|found| found.artefact() == begun)
        {
            let begun = self.unread.remove(place);
            self.unread.push(begun);
        }
        self.take_stock();
    }

    fn fail(&mut self, obstacle: Obstacle, took: Duration) {
        if self.facts.obstacle.is_none() {
            warn!(backup.name = %self.settings.name, "the backups cannot be looked at: {obstacle}");
        }
        self.facts.obstacle = Some(obstacle);
        self.facts.took = took;
    }

    /// Compares, records and publishes what is known now.
    fn tell(&mut self, board: &Board, records: &Records, live: &Live, now: Timestamp) {
        self.borrow(records);
        self.honour_drills();
        self.memorise(now);
        let original = self.settings.copy_of.as_ref();
        let original = original.and_then(|name| records.of(name));
        self.compare(original.as_deref(), live, now);
        records.put(self.record());
        let mut samples = self.samples(now);
        if self.part.is_first {
            samples.extend(self.samples_of_server(records, now));
        }
        self.publish(board, samples, now);
    }

    fn record(&self) -> Record {
        Record {
            settings: self.settings.clone(),
            facts: self.facts.clone(),
        }
    }

    fn publish(&self, board: &Board, samples: Vec<Sample>, now: Timestamp) {
        if self.facts.looked.is_some() || self.facts.obstacle.is_some() {
            board.publish(&self.source, now, self.facts.took, samples, 0);
        }
        if let Some(obstacle) = &self.facts.obstacle {
            board.fail(&self.source, now, self.facts.took, obstacle.to_string());
        }
    }
}
