//! Watches one source: looks on its rhythm, has new files read one at a time, and publishes what is known.

use std::path::{Path, PathBuf};
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
use super::live::Live;
use super::log::{self, Followed, Log};
use super::memory::Memory;
use super::records::{Facts, Record, Records};
use super::settings::Place;
use super::shelf::Shelf;
use super::sighting::Sighting;
use super::source::Look;
use super::standing::{Seen, settle};
use super::verdicts::Verdicts;
use super::{Obstacle, Proof, Reports, Settings, Verdict};
use crate::sample::{Sample, Source, Timestamp};
use crate::scrape::Board;

/// Samples are published at least this often, so that ages keep growing.
const BEAT: Duration = Duration::from_secs(60);
/// While many files are read, their verdicts are taken into account this often.
const STOCK: Duration = Duration::from_secs(1);
/// Samples outlive their source by so many beats.
const LIFETIME: u32 = 3;

type Looks = JoinSet<(Result<Look, Obstacle>, Duration, Option<(Followed, Log)>)>;
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
            Some(Ok((look, took, log))) = looks.join_next() => {
                watch.take_log(log);
                watch.end_look(look, took, Timestamp::now())
            }
            Some(Ok(read)) = readings.join_next() => watch.learn(read),
            _ = beat.tick() => watch.lose_patience(),
        };
        watch.begin_reading(&mut readings, &turn, &stop);
        if has_news {
            let now = Timestamp::now();
            let live = Live::of(&board, &watch.settings.server);
            watch.honour_drills();
            watch.memorise(now);
            let original = watch.settings.copy_of.as_ref();
            let original = original.and_then(|name| records.of(name));
            watch.compare(original.as_deref(), &live, now);
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
    state_dir: PathBuf,
    verdicts: Verdicts,
    memory: Memory,
    followed: Followed,
    reports: Reports,
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
            followed: Followed::load(state_dir, &settings.name),
            state_dir: state_dir.to_owned(),
            reports: Reports::new(state_dir),
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
            let (settings, followed) = (self.settings.clone(), self.followed.clone());
            self.look_began = Some(Instant::now());
            match settings.place.clone() {
                // Such a look ends with the watch, and with it the tool that it runs.
                Place::Tool(tool) => looks.spawn(async move {
                    let began = Instant::now();
                    let look = tool.look(Timestamp::now()).await.map(Look::Sighting);
                    let took = began.elapsed();
                    let log = tokio::task::spawn_blocking(move || follow(&settings, followed));
                    (look, took, log.await.ok().flatten())
                }),
                Place::Files(_) => looks.spawn_blocking(move || look(&settings, followed)),
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

    fn take_log(&mut self, read: Option<(Followed, Log)>) {
        let Some((followed, log)) = read else {
            return;
        };
        let name = &self.settings.name;
        let was_unreadable = self
            .facts
            .log
            .as_ref()
            .is_some_and(|log| log.obstacle.is_some());
        if let (Some(obstacle), false) = (&log.obstacle, was_unreadable) {
            warn!(backup.name = %name, "{obstacle}");
        }
        let is_news = followed != self.followed;
        (self.followed, self.facts.log) = (followed, Some(log));
        if let (true, Err(error)) = (is_news, self.followed.save(&self.state_dir, name)) {
            warn!(backup.name = %name, "cannot remember how far the log was read: {error}");
        }
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

    /// Reads from the newest on, until one is known to be good.
    fn read_until_good(&mut self) {
        let settled = self.found.iter().filter(|seen| seen.is_settled);
        let settled: Vec<Found> = settled.map(|seen| seen.found.clone()).collect();
        for found in settled {
            if self.verdicts.on(&found).is_none()
                && let Some((read, verdict)) = self.read_at_once(found.clone())
            {
                self.verdicts.add(&read, verdict);
            }
            if self.verdicts.on(&found).is_some_and(Verdict::is_good) {
                break;
            }
        }
        self.take_stock();
    }

    fn read_at_once(&self, found: Found) -> Option<(Found, Verdict)> {
        let Place::Files(files) = &self.settings.place else {
            return None;
        };
        let pace = Pace::unlimited(CancellationToken::new());
        read(files.shelf().as_ref(), found, &pace)
    }

    /// What was restored is proved by that, as long as it has not been written since.
    fn honour_drills(&mut self) {
        let Some(sighting) = &mut self.facts.sighting else {
            return;
        };
        let restored = self.reports.restored(&self.settings.name);
        for backup in sighting
            .backups
            .iter_mut()
            .filter(|backup| backup.state.is_good())
        {
            let is_it = |(name, began): &(String, Timestamp)| {
                *name == backup.id && backup.finished <= *began
            };
            if restored.iter().any(is_it) {
                backup.proof = Proof::Restored;
            }
        }
    }

    fn record(&self) -> Record {
        Record {
            settings: self.settings.clone(),
            facts: self.facts.clone(),
        }
    }

    /// Remembers which backups there are. What a failed look left behind is no news.
    fn memorise(&mut self, now: Timestamp) {
        let (Some(sighting), None) = (&self.facts.sighting, &self.facts.obstacle) else {
            return;
        };
        let (name, keep) = (&self.settings.name, self.settings.keep);
        if let Err(error) = self.memory.learn(sighting, keep, now) {
            warn!(backup.name = %name, "cannot remember which backups there are: {error}");
        }
    }

    /// Compares what is there with what was there before, with what is elsewhere and with the server.
    fn compare(&mut self, original: Option<&Record>, live: &Live, now: Timestamp) {
        let (settings, past) = (&self.settings, self.memory.past());
        let (Some(sighting), None) = (&self.facts.sighting, &self.facts.obstacle) else {
            return;
        };
        let original = original.and_then(|record| record.facts.sighting.as_ref());
        let uncopied = |original| judge::uncopied(settings, original, sighting, now);
        self.facts.uncopied = original.map(uncopied);
        self.facts.vanished = judge::vanished(past, settings, now);
        self.facts.foreign = judge::is_foreign(settings, live.system_identifier, sighting);
        self.facts.usual_size = judge::usual_size(sighting, past);
    }

    fn samples(&self, now: Timestamp) -> Vec<Sample> {
        let matter = Matter {
            settings: &self.settings,
            facts: &self.facts,
            past: self.memory.past(),
            wal: None,
        };
        let mut samples = judge::samples(&matter, now);
        samples.extend(log::samples(&self.settings, self.facts.log.as_ref()));
        samples
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

/// Looks at the place, and at the log of the job. This blocks.
fn look(
    settings: &Settings,
    followed: Followed,
) -> (Result<Look, Obstacle>, Duration, Option<(Followed, Log)>) {
    let log = follow(settings, followed);
    let began = Instant::now();
    let look = settings.place.look();
    (look, began.elapsed(), log)
}

fn follow(settings: &Settings, mut followed: Followed) -> Option<(Followed, Log)> {
    let path = settings.log.as_deref()?;
    let log = followed.read(path, log::memory(settings), Timestamp::now());
    Some((followed, log))
}

/// Looks at a source once, and tells what is known of it with what earlier runs have remembered. Nothing is written, so
/// that it goes beside a watch. With `reads`, the newest backup is read to its end, as fast as that can be, where nobody
/// has read it. This blocks.
pub fn survey(settings: &Settings, state_dir: &Path, reads: bool) -> Record {
    let mut watch = Watch::new(settings.clone(), state_dir);
    let (done, looked) = std::sync::mpsc::channel();
    let (asked, followed) = (settings.clone(), watch.followed.clone());
    let patience = settings.place.patience();
    // A file server that is gone holds the thread for ever, and nobody else.
    std::thread::spawn(move || {
        // Whoever has lost patience no longer listens.
        let _ = done.send(look(&asked, followed));
    });
    match looked.recv_timeout(patience) {
        Ok((look, took, log)) => {
            watch.facts.log = log.map(|(_, log)| log);
            watch.end_look(look, took, Timestamp::now());
        }
        Err(_) => {
            let silent = settings.place.silence(patience.as_secs());
            watch.fail(silent, patience);
        }
    }
    if reads {
        watch.read_until_good();
    }
    watch.record()
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
