//! One look by hand, for programs that end with it.

use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::look::{Looked, look};
use super::reading::{Manner, read};
use super::{Part, Watch};
use crate::backup::files::Found;
use crate::backup::inspect::Pace;
use crate::backup::live::Live;
use crate::backup::records::{Record, Records};
use crate::backup::settings::Place;
use crate::backup::{Reports, Settings, State, Trouble, Verdict, judge};
use crate::sample::Timestamp;

/// A segment that comes later than its successor, or is still being copied, is given so long.
const ARRIVAL: Duration = Duration::from_secs(2);

/// Looks at a source now, and tells what is known of it with what earlier runs have remembered. Nothing is written, so
/// that it goes beside a watch. With `reads`, the newest backup is read to its end, as fast as that can be, where nobody
/// has read it. This blocks.
pub fn survey(settings: &Settings, state_dir: &Path, reads: bool) -> Record {
    let part = Part {
        is_first: false,
        is_compared: false,
    };
    let mut watch = Watch::new(settings.clone(), part, Reports::new(state_dir), state_dir);
    // What other sources of its server need of an archive, only a watch over all of them knows.
    watch.lent.is_awaited = true;
    let live = Live::default();
    watch.look_at_once(&live);
    if reads {
        watch.read_until_good();
    }
    if watch.lacks_wal_so_far() {
        // It may be on its way: what is missing counts after two looks.
        std::thread::sleep(ARRIVAL);
        watch.look_at_once(&live);
    }
    watch.honour_drills();
    watch.compare(None, &live, Timestamp::now());
    watch.record()
}

/// Holds the copies among what was looked at by hand against their originals.
pub fn compare_copies(records: &Records, now: Timestamp) {
    for copy in records.all() {
        let original = copy.settings.copy_of.as_ref();
        let original = original.and_then(|name| records.of(name));
        let shown = original
            .as_ref()
            .and_then(|original| original.facts.sighting.as_ref());
        if let (Some(shown), Some(own), None) = (shown, &copy.facts.sighting, &copy.facts.obstacle)
        {
            let uncopied = judge::uncopied(&copy.settings, shown, own, now);
            let mut compared = (*copy).clone();
            compared.facts.uncopied = Some(uncopied);
            records.put(compared);
        }
    }
}

impl Watch {
    fn look_at_once(&mut self, live: &Live) {
        let (done, looked) = mpsc::channel();
        let (asked, texts) = (self.settings.clone(), self.texts.clone());
        let (followed, reports) = (self.followed.clone(), self.reports.clone());
        let patience = self.settings.place.patience();
        // A file server that is gone holds the thread for ever, and nobody else.
        std::thread::spawn(move || {
            // Whoever has lost patience no longer listens.
            let _ = done.send(look(&asked, &texts, followed, &reports));
        });
        match looked.recv_timeout(patience) {
            Ok(looked) => {
                self.facts.log = looked.log.as_ref().map(|(_, log)| log.clone());
                let looked = Looked {
                    log: None,
                    ..looked
                };
                self.end_look(looked, live, Timestamp::now());
            }
            Err(_) => self.fail(self.settings.place.silence(patience.as_secs()), patience),
        }
    }

    /// Whether segments would be missing or short, or a backup without its WAL, if a second look showed no more.
    fn lacks_wal_so_far(&mut self) -> bool {
        let [archive, before] = &mut self.archives;
        if archive.is_none() || self.facts.obstacle.is_some() {
            return false;
        }
        before.clone_from(archive);
        self.take_stock();
        let chain = self.facts.chain.iter();
        let mut chain = chain.filter(|chain| !chain.missing.is_empty() || !chain.short.is_empty());
        let sighting = self.facts.sighting.iter();
        let mut backups = sighting.flat_map(|sighting| &sighting.backups);
        let lacks = chain.next().is_some()
            || backups.any(|backup| backup.trouble == Some(Trouble::WalMissing));
        self.archives[1] = None;
        self.take_stock();
        lacks
    }

    /// Reads from the newest on, until one is known to be good.
    fn read_until_good(&mut self) {
        let settled = self.found.iter().filter(|seen| seen.is_settled);
        let settled: Vec<Found> = settled.map(|seen| seen.found.clone()).collect();
        for found in settled {
            if self.verdicts.on(&found).is_none()
                && let Some((read, verdict)) = self.read_at_once(found.clone())
            {
                self.verdicts.add(&read, verdict, Timestamp::now());
            }
            // One that builds on others, or needs WAL, is good with them alone.
            self.take_stock();
            let sighting = self.facts.sighting.iter();
            let mut backups = sighting.flat_map(|sighting| &sighting.backups);
            if backups.any(|backup| backup.state == State::Done) {
                break;
            }
        }
    }

    fn read_at_once(&self, found: Found) -> Option<(Found, Verdict)> {
        let Place::Files(files) = &self.settings.place else {
            return None;
        };
        let manner = Manner {
            pace: &Pace::unlimited(CancellationToken::new()),
            // How far a watch has come is not for another process to write.
            progress: None,
            is_compared: self.part.is_compared,
        };
        read(files.shelf().as_ref(), found, &manner)
    }
}
