//! Has new files read, one at a time, and learns what that showed.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use super::Watch;
use crate::backup::files::{self, Found};
use crate::backup::inspect::{self, Pace, Progress, Reading};
use crate::backup::settings::Place;
use crate::backup::shelf::Shelf;
use crate::backup::{Trouble, Verdict};
use crate::sample::Timestamp;

pub(super) type Readings = JoinSet<Option<(Found, Verdict)>>;

/// How a file is to be read.
pub(super) struct Manner<'m> {
    pub(super) pace: &'m Pace,
    /// Where it is kept how far a backup has been read, if anywhere.
    pub(super) progress: Option<&'m Path>,
    /// Whether it is compared with a copy elsewhere.
    pub(super) is_compared: bool,
}

impl Watch {
    /// Has the newest file without a verdict read, unless one is being read.
    pub(super) fn begin_reading(
        &mut self,
        readings: &mut Readings,
        turn: &Arc<Semaphore>,
        stop: &CancellationToken,
    ) {
        let Place::Files(files) = &self.settings.place else {
            return;
        };
        if !readings.is_empty() {
            return;
        }
        let Some(found) = self.unread.pop() else {
            return;
        };
        let (turn, stop, files) = (turn.clone(), stop.clone(), files.clone());
        let (rate, progress) = (self.settings.verify_rate, self.progress.clone());
        let (is_compared, name) = (self.part.is_compared, found.name.clone());
        readings.spawn(async move {
            let _permit = turn.acquire_owned().await;
            let read = move || {
                let manner = Manner {
                    pace: &Pace::limited(rate, stop),
                    progress: Some(&progress),
                    is_compared,
                };
                read(files.shelf().as_ref(), found, &manner)
            };
            match tokio::task::spawn_blocking(read).await {
                Ok(read) => read,
                // The next look has it read again.
                Err(fault) => {
                    error!(backup.file = %name, error = %fault, "reading a backup ended by itself");
                    None
                }
            }
        });
    }

    pub(super) fn learn(&mut self, read: Option<(Found, Verdict)>) -> bool {
        if let Some((found, verdict)) = read {
            if let Some(problem) = &verdict.problem {
                warn!(backup.name = %self.settings.name, backup.file = %found.name, "a backup is not good: it {problem}");
            }
            self.verdicts.add(&found, verdict, Timestamp::now());
        }
        let is_due = self.unread.is_empty() || self.stock_is_due();
        if is_due {
            self.take_stock();
            let began = Instant::now();
            self.remember();
            self.stock_cost += began.elapsed();
        }
        is_due
    }

    fn remember(&self) {
        if let Err(error) = self.verdicts.save() {
            warn!(backup.name = %self.settings.name, "cannot remember what was read, it is read again after a restart: {error}");
        }
    }
}

/// What was written to, or removed, while it was read is for the next look to tell of.
pub(super) fn read(shelf: &dyn Shelf, found: Found, manner: &Manner) -> Option<(Found, Verdict)> {
    let progress = match manner.progress {
        Some(path) if found.kind.is_physical() => Progress::resume(path, &found.artefact()),
        _ => Progress::default(),
    };
    let reading = Reading {
        pace: manner.pace,
        progress: &progress,
        beside: found.beside.as_ref().map(|beside| beside.name.as_str()),
        is_compared: manner.is_compared,
    };
    let verdict = inspect::inspect(shelf, &found.name, &reading)?;
    if verdict.is_provisional {
        let words = verdict.remark.unwrap_or_default();
        warn!(backup.file = %found.name, "a backup could not be read to its end and is read again: {words}");
        return None;
    }
    if !files::stands(shelf, &found) {
        return None;
    }
    // What cannot be read is tried again at each look: then the rest need not be read again.
    if verdict.trouble != Some(Trouble::Unreadable) {
        progress.end();
    }
    Some((found, verdict))
}
