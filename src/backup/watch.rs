//! Watches one source: looks on its rhythm, has new files read one at a time, and publishes what is known.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::files::{self, Found, Listing};
use super::inspect::{self, Pace};
use super::judge::{self, Matter};
use super::memory::Memory;
use super::records::{Facts, Record, Records};
use super::settings::Place;
use super::shelf::Shelf;
use super::sighting::Sighting;
use super::source::Look;
use super::standing::{Seen, settle};
use super::verdicts::Verdicts;
use super::{Obstacle, Settings, Verdict};
use crate::sample::{Sample, Source, Timestamp};
use crate::scrape::Board;

/// Samples are published at least this often, so that ages keep growing.
const BEAT: Duration = Duration::from_secs(60);
/// While many files are read, their verdicts are taken into account this often.
const STOCK: Duration = Duration::from_secs(1);
/// Samples outlive their source by so many beats.
const LIFETIME: u32 = 3;

type Looks = JoinSet<(Result<Look, Obstacle>, Duration)>;
type Readings = JoinSet<Option<(Found, Verdict)>>;

/// Watches until stopped. The first source of a server also tells what is true of all of them. `turn` is shared by all sources: one file is read at a time.
pub(super) async fn run(
    settings: Settings,
    is_first: bool,
    board: Arc<Board>,
    records: Arc<Records>,
    state_dir: &Path,
    turn: Arc<Semaphore>,
    stop: CancellationToken,
) {
    let rhythm = settings.look.min(BEAT);
    let mut watch = Watch::new(settings, state_dir);
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
            let now = Timestamp::now();
            watch.compare(&records, now);
            records.put(watch.record());
            let mut samples = watch.samples(now);
            if is_first {
                samples.extend(watch.samples_of_server(&records, now));
            }
            watch.publish(&board, samples, now);
        }
    }
}

struct Watch {
    settings: Settings,
    source: Source,
    verdicts: Verdicts,
    memory: Memory,
    facts: Facts,
    /// What the last look listed, newest first.
    found: Vec<Seen>,
    look_began: Option<Instant>,
    /// Files without a verdict, the newest last.
    unread: Vec<Found>,
    /// When the verdicts were last taken into account.
    stock_taken: Instant,
}

impl Watch {
    fn new(settings: Settings, state_dir: &Path) -> Self {
        let collector = format!("backup:{}", settings.name);
        Watch {
            source: Source::new(&settings.server, "", &collector),
            verdicts: Verdicts::load(state_dir, &settings.name),
            memory: Memory::load(state_dir, &settings.name),
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
            let place = self.settings.place.clone();
            self.look_began = Some(Instant::now());
            let began = Instant::now();
            match place {
                // Such a look ends with the watch, and with it the tool that it runs.
                Place::Tool(tool) => looks.spawn(async move {
                    let look = tool.look(Timestamp::now()).await;
                    (look.map(Look::Sighting), began.elapsed())
                }),
                place => looks.spawn_blocking(move || (place.look(), began.elapsed())),
            };
        }
        false
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

    fn end_look(&mut self, look: Result<Look, Obstacle>, took: Duration, now: Timestamp) -> bool {
        self.look_began = None;
        let look = match look {
            Ok(Look::Sighting(mut sighting)) => {
                let before = self.facts.sighting.as_ref();
                let doubt = self.settings.place.weigh(before, &mut sighting, now);
                self.facts.sighting = Some(sighting);
                doubt.map_or(Ok(None), Err)
            }
            Ok(Look::Listing(listing)) => Ok(Some(listing)),
            Err(obstacle) => Err(obstacle),
        };
        let listing = match look {
            Ok(listing) => listing,
            Err(obstacle) => {
                self.fail(obstacle, took);
                return true;
            }
        };
        if self.facts.obstacle.take().is_some() {
            info!(backup.name = %self.settings.name, "the backups can be looked at again");
        }
        (self.facts.looked, self.facts.took) = (Some(now), took);
        if let Some(listing) = listing {
            self.sort(listing, now);
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
        let (rate, Place::Files(files)) = (self.settings.verify_rate, self.settings.place.clone())
        else {
            return;
        };
        readings.spawn(async move {
            let _permit = turn.acquire_owned().await;
            let read = move || read(files.shelf().as_ref(), found, &Pace::limited(rate, stop));
            tokio::task::spawn_blocking(read).await.ok().flatten()
        });
    }

    fn learn(&mut self, read: Option<(Found, Verdict)>) -> bool {
        if let Some((found, verdict)) = read {
            if let Some(problem) = &verdict.problem {
                warn!(backup.name = %self.settings.name, backup.file = %found.name, "a backup is not good: it {problem}");
            }
            self.verdicts.add(&found, verdict);
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
        if let Some(sighting) = &mut self.facts.sighting {
            let verdicts = &self.verdicts;
            sighting.backups = self
                .found
                .iter()
                .map(|seen| seen.backup(verdicts.on(&seen.found)))
                .collect();
        }
    }

    fn record(&self) -> Record {
        Record {
            settings: self.settings.clone(),
            facts: self.facts.clone(),
        }
    }

    /// Remembers what is there, and compares it with what was there before and with what is elsewhere.
    fn compare(&mut self, records: &Records, now: Timestamp) {
        let Watch {
            settings,
            facts,
            memory,
            ..
        } = self;
        // What a failed look left behind is no news.
        let (Some(sighting), None) = (&facts.sighting, &facts.obstacle) else {
            return;
        };
        if let Err(error) = memory.learn(sighting, settings.keep, now) {
            warn!(backup.name = %settings.name, "cannot remember which backups there are: {error}");
        }
        facts.vanished = judge::vanished(memory.past(), settings, now);
        let original = settings.copy_of.as_ref().and_then(|name| records.of(name));
        let original = original
            .as_ref()
            .and_then(|record| record.facts.sighting.as_ref());
        facts.uncopied =
            original.map(|original| judge::uncopied(settings, original, sighting, now));
    }

    fn samples(&self, now: Timestamp) -> Vec<Sample> {
        let matter = Matter {
            settings: &self.settings,
            facts: &self.facts,
            past: self.memory.past(),
            system_identifier: None,
            wal: None,
        };
        judge::samples(&matter, now)
    }

    fn samples_of_server(&self, records: &Records, now: Timestamp) -> Vec<Sample> {
        let all = records.all();
        let of_server = all
            .iter()
            .map(AsRef::as_ref)
            .filter(|record: &&Record| record.settings.server == self.settings.server);
        judge::per_server(&of_server.collect::<Vec<_>>(), now)
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

/// What was written to, or removed, while it was read is for the next look to tell of.
fn read(shelf: &dyn Shelf, found: Found, pace: &Pace) -> Option<(Found, Verdict)> {
    let verdict = inspect::inspect(shelf, &found.name, pace)?;
    if verdict.is_provisional {
        let words = verdict.remark.unwrap_or_default();
        warn!(backup.file = %found.name, "a backup could not be read to its end and is read again: {words}");
        return None;
    }
    files::stands(shelf, &found).then_some((found, verdict))
}
