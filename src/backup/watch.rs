//! Watches one source: looks on its rhythm, has new files read one at a time, and publishes what is known.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::archive::{Archive, Shown, Texts};
use super::files::{self, Found, Listing};
use super::inspect::{self, Pace, Progress, Reading};
use super::judge;
use super::needs;
use super::records::{Facts, Record, Records};
use super::settings::Place;
use super::shelf::Shelf;
use super::sighting::Sighting;
use super::source::Look;
use super::standing::{Seen, settle};
use super::verdicts::Verdicts;
use super::{Chain, Obstacle, Settings, Trouble, Verdict};
use crate::sample::{Source, Timestamp};
use crate::scrape::Board;

/// Samples are published at least this often, so that ages keep growing.
const BEAT: Duration = Duration::from_secs(60);
/// A look that takes longer has failed.
const LONGEST_LOOK: Duration = Duration::from_secs(30);
/// While many files are read, their verdicts are taken into account this often.
const STOCK: Duration = Duration::from_secs(1);
/// Samples outlive their source by so many beats.
const LIFETIME: u32 = 3;

type Looked = Result<(Look, Option<Shown>), Obstacle>;
type Looks = JoinSet<(Looked, Duration)>;
type Readings = JoinSet<Option<(Found, Verdict)>>;

/// Watches until stopped. `turn` is shared by all sources: one file is read at a time. Whether its backups have to be
/// compared with copies elsewhere stands beside the settings.
pub(super) async fn run(
    (settings, is_compared): (Settings, bool),
    board: Arc<Board>,
    records: Arc<Records>,
    state_dir: &Path,
    turn: Arc<Semaphore>,
    stop: CancellationToken,
) {
    let rhythm = settings.look.min(BEAT);
    let mut watch = Watch::new(settings, is_compared, state_dir);
    board.declare(&watch.source, rhythm, LIFETIME);
    let (mut look, mut beat) = (interval(watch.settings.look), interval(rhythm));
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut looks, mut readings) = (Looks::new(), Readings::new());
    loop {
        let has_news = tokio::select! {
            () = stop.cancelled() => return,
            _ = look.tick() => watch.begin_look(&mut looks),
            Some(Ok((look, took))) = looks.join_next() => watch.end_look(look, took, Timestamp::now()),
            Some(Ok(read)) = readings.join_next() => watch.learn(read),
            _ = beat.tick() => watch.lose_patience(),
        };
        watch.begin_reading(&mut readings, &turn, &stop);
        if has_news {
            watch.publish(&board, Timestamp::now());
            records.put(watch.record());
        }
    }
}

struct Watch {
    settings: Settings,
    source: Source,
    verdicts: Verdicts,
    facts: Facts,
    /// What the last look listed, newest first.
    found: Vec<Seen>,
    look_began: Option<Instant>,
    /// Files without a verdict, the newest last.
    unread: Vec<Found>,
    /// When the verdicts were last taken into account.
    stock_taken: Instant,
    /// The WAL archive at the last look, and at the one before.
    archives: [Option<Archive>; 2],
    texts: Arc<[Texts; 2]>,
    is_compared: bool,
    /// Where it is kept how far a backup has been read.
    progress: PathBuf,
    /// The backup that was being read when pgvigil was last stopped.
    begun: Option<String>,
}

impl Watch {
    fn new(settings: Settings, is_compared: bool, state_dir: &Path) -> Self {
        let collector = format!("backup:{}", settings.name);
        let progress = state_dir.join(format!("backup-{}.progress", settings.name));
        let asked = settings.expect_rows.keys().cloned().collect();
        Watch {
            source: Source::new(&settings.server, "", &collector),
            verdicts: Verdicts::load(state_dir, &settings.name, asked),
            archives: [None, None],
            texts: Arc::default(),
            is_compared,
            begun: Progress::begun(&progress),
            progress,
            settings,
            facts: Facts::default(),
            found: Vec::new(),
            look_began: None,
            unread: Vec::new(),
            stock_taken: Instant::now(),
        }
    }

    fn begin_look(&mut self, looks: &mut Looks) -> bool {
        // A file server that is gone can hold a look for ever; another would only be held too.
        if looks.is_empty() {
            let (settings, texts) = (self.settings.clone(), self.texts.clone());
            self.look_began = Some(Instant::now());
            looks.spawn_blocking(move || {
                let began = Instant::now();
                (settings.look_at(&texts), began.elapsed())
            });
        }
        false
    }

    fn lose_patience(&mut self) -> bool {
        let waited = self
            .look_began
            .map(|began| began.elapsed())
            .unwrap_or_default();
        if waited > LONGEST_LOOK {
            let title = self.settings.place.title();
            self.fail(Obstacle::Silent(title, waited.as_secs()), waited);
        }
        true
    }

    fn end_look(&mut self, look: Looked, took: Duration, now: Timestamp) -> bool {
        self.look_began = None;
        let (look, shown) = match look {
            Ok(look) => look,
            Err(obstacle) => {
                self.fail(obstacle, took);
                return true;
            }
        };
        if self.facts.obstacle.take().is_some() {
            info!(backup.name = %self.settings.name, "the backups can be looked at again");
        }
        (self.facts.looked, self.facts.took) = (Some(now), took);
        self.archives.swap(0, 1);
        self.archives[0] = shown.map(|shown| Archive::of(shown, None));
        match look {
            Look::Listing(listing) => self.sort(listing, now),
            Look::Sighting(sighting) => {
                let told = sighting
                    .backups
                    .iter()
                    .cloned()
                    .map(|backup| (backup, None));
                let mut told: Vec<needs::Read> = told.collect();
                self.facts.chain = chain(&mut told, &self.archives);
                self.facts.sighting = Some(Sighting {
                    backups: told.into_iter().map(|(backup, _)| backup).collect(),
                    ..sighting
                });
            }
        }
        true
    }

    /// Tells what is settled from what is not, and what has been read from what has not.
    fn sort(&mut self, listing: Listing, now: Timestamp) {
        self.verdicts.prune(&listing.found);
        self.found = settle(&self.found, listing.found, self.settings.look, now);
        self.facts.sighting = Some(Sighting {
            space: listing.space,
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

    /// Has the newest file without a verdict read, unless one is being read.
    fn begin_reading(
        &mut self,
        readings: &mut Readings,
        turn: &Arc<Semaphore>,
        stop: &CancellationToken,
    ) {
        if !readings.is_empty() {
            return;
        }
        let Some(found) = self.unread.pop() else {
            return;
        };
        let (turn, stop) = (turn.clone(), stop.clone());
        let (rate, Place::Files(files)) = (self.settings.verify_rate, self.settings.place.clone());
        let (progress, is_compared) = (self.progress.clone(), self.is_compared);
        readings.spawn(async move {
            let _permit = turn.acquire_owned().await;
            let read = move || {
                let pace = Pace::limited(rate, stop);
                read(
                    files.shelf().as_ref(),
                    found,
                    &pace,
                    (&progress, is_compared),
                )
            };
            tokio::task::spawn_blocking(read).await.ok().flatten()
        });
    }

    fn learn(&mut self, read: Option<(Found, Verdict)>) -> bool {
        if let Some((found, verdict)) = read {
            if let Some(problem) = &verdict.problem {
                warn!(backup.name = %self.settings.name, backup.file = %found.name, "a backup is not good: it {problem}");
            }
            self.verdicts.add(&found, verdict, Timestamp::now());
        }
        let is_due = self.unread.is_empty() || self.stock_taken.elapsed() > STOCK;
        if is_due {
            self.take_stock();
            self.remember();
        }
        is_due
    }

    fn remember(&self) {
        if let Err(error) = self.verdicts.save() {
            warn!(backup.name = %self.settings.name, "cannot remember what was read, it is read again after a restart: {error}");
        }
    }

    fn take_stock(&mut self) {
        self.stock_taken = Instant::now();
        let Some(sighting) = &mut self.facts.sighting else {
            return;
        };
        let each = self.found.iter().map(|seen| {
            let known = self.verdicts.on(&seen.found);
            let verdict = known
                .filter(|_| seen.is_settled)
                .map(|known| &known.verdict);
            (seen.backup(known), verdict)
        });
        let mut read: Vec<needs::Read> = each.collect();
        needs::rows(&mut read, &self.settings.expect_rows);
        needs::parents(&mut read);
        self.facts.chain = chain(&mut read, &self.archives);
        sighting.backups = read.into_iter().map(|(backup, _)| backup).collect();
    }

    fn record(&self) -> Record {
        Record {
            settings: self.settings.clone(),
            facts: self.facts.clone(),
        }
    }

    fn publish(&self, board: &Board, now: Timestamp) {
        if self.facts.looked.is_some() || self.facts.obstacle.is_some() {
            let samples = judge::samples(&self.settings, &self.facts, now);
            board.publish(&self.source, now, self.facts.took, samples, 0);
        }
        if let Some(obstacle) = &self.facts.obstacle {
            board.fail(&self.source, now, self.facts.took, obstacle.to_string());
        }
    }
}

/// Marks backups whose WAL is lost; gives the archive in a few numbers, where there is one.
fn chain(read: &mut [needs::Read], [archive, before]: &[Option<Archive>; 2]) -> Option<Chain> {
    let needs = needs::wal(read, archive.as_ref(), before.as_ref());
    Some(archive.as_ref()?.chain(before.as_ref(), &needs))
}

/// What was written to, or removed, while it was read is for the next look to tell of.
fn read(
    shelf: &dyn Shelf,
    found: Found,
    pace: &Pace,
    (progress, is_compared): (&Path, bool),
) -> Option<(Found, Verdict)> {
    let progress = match found.kind.is_physical() {
        true => Progress::resume(progress, &found.artefact()),
        false => Progress::default(),
    };
    let reading = Reading {
        pace,
        progress: &progress,
        beside: found.beside.as_ref().map(|beside| beside.name.as_str()),
        is_compared,
    };
    let verdict = inspect::inspect(shelf, &found.name, &reading)?;
    if !files::stands(shelf, &found) {
        return None;
    }
    // What cannot be read is tried again at each look: then the rest need not be read again.
    if verdict.trouble != Some(Trouble::Unreadable) {
        progress.end();
    }
    Some((found, verdict))
}
