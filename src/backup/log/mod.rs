//! The log of the job that takes the backups. Takes its path and what was read before; hands on the lines with errors.

mod masked;
mod tail;
mod times;
mod wording;

use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::metric::{self, Page};
use super::user::not_ours;
use super::{Settings, saved};
use crate::sample::{Sample, Timestamp};

use tail::Position;

/// More lines with errors are counted, but not kept.
const KEPT: usize = 200;
/// More characters of a line are not kept.
const LONGEST: usize = 300;

/// What is known of a log.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Log {
    /// When it was last read with success.
    pub read: Option<Timestamp>,
    /// Its lines that tell of an error, the oldest first; those that are too old to matter are gone.
    pub errors: Vec<LogError>,
    /// Why it cannot be read.
    pub obstacle: Option<String>,
    /// Whether it was rotated or cut since the look before, and what was written last before that may be unread.
    pub is_torn: bool,
}

/// A line that tells of an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogError {
    /// When it was written, by its own account or that of a line before it; else when it was first read.
    pub at: Timestamp,
    /// Its words: without control characters, and not all of a long one.
    pub text: String,
}

/// A log as it is followed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Followed {
    position: Option<Position>,
    errors: Vec<LogError>,
}

impl Followed {
    /// What an earlier run has kept; nothing when there is nothing or it cannot be understood.
    pub(super) fn load(state_dir: &Path, source: &str) -> Self {
        saved::read(&file(state_dir, source)).unwrap_or_default()
    }

    /// Keeps it.
    ///
    /// # Errors
    /// When the state directory cannot be written.
    pub(super) fn save(&self, state_dir: &Path, source: &str) -> std::io::Result<()> {
        saved::write(&file(state_dir, source), self)
    }

    /// Reads what is new. This blocks.
    pub(super) fn read(&mut self, path: &Path, memory: Duration, now: Timestamp) -> Log {
        let oldest = now.before(memory);
        let mut is_torn = false;
        let obstacle = match tail::read(path, self.position.as_ref()) {
            Ok(read) => {
                is_torn = read.is_torn;
                let is_first = self.position.is_none();
                self.take(&read.text, is_first, now);
                self.position = Some(read.position);
                None
            }
            Err(error) => Some(words(path, &error)),
        };
        self.errors.retain(|error| error.at >= oldest);
        let spare = self.errors.len().saturating_sub(KEPT);
        self.errors.drain(..spare);
        Log {
            read: obstacle.is_none().then_some(now),
            errors: self.errors.clone(),
            obstacle,
            is_torn,
        }
    }

    /// A line without a time of its own is as old as the last one before it that has one. Where there is none, it is new,
    /// unless it was there before the first look: then nobody knows how old it is, and it is passed over.
    fn take(&mut self, text: &str, is_first: bool, now: Timestamp) {
        let zone = jiff::tz::TimeZone::system();
        let mut at = (!is_first).then_some(now);
        for line in text.lines() {
            if let Some(own) = times::of(line, &zone) {
                at = Some(own.min(now));
            }
            if let (Some(at), true) = (at, wording::tells_of_error(line)) {
                let text = harmless(&masked::without_passwords(line));
                self.errors.push(LogError { at, text });
            }
        }
    }
}

/// Why a log could not be followed now.
pub(super) fn obstacle(path: &Path) -> Option<String> {
    let read = tail::read(path, None).err();
    read.map(|error| words(path, &error))
}

fn file(state_dir: &Path, source: &str) -> std::path::PathBuf {
    state_dir.join(format!("backup-log-{source}.json"))
}

fn words(path: &Path, error: &std::io::Error) -> String {
    let path = path.display();
    match error.kind() {
        std::io::ErrorKind::NotFound => {
            format!("the log `{path}` does not exist; does the job write one, and there?")
        }
        std::io::ErrorKind::PermissionDenied => {
            format!("the log `{path}` cannot be read: {}", not_ours())
        }
        _ => format!("the log `{path}` cannot be read: {error}"),
    }
}

fn harmless(line: &str) -> String {
    let shown = line.trim().chars().filter(|c| !c.is_control());
    let mut text: String = shown.take(LONGEST).collect();
    if line.trim().chars().count() > LONGEST {
        text.push('…');
    }
    text
}

/// Its samples; none where no log is configured.
pub(super) fn samples(settings: &Settings, log: Option<&Log>) -> Vec<Sample> {
    let mut page = Page::of(&settings.name);
    if let Some(log) = log {
        let readable = f64::from(u8::from(log.obstacle.is_none()));
        page.put(metric::LOG_READABLE, &[], readable);
        page.put(metric::LOG_ERRORS, &[], log.errors.len() as f64);
    }
    page.finish()
}

#[cfg(test)]
mod tests;
