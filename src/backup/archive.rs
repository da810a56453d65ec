//! The WAL archive of a source: what a place lists of it, and what that means for its backups.

use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::{Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

use super::inspect::{self, Pace};
use super::shelf::{Item, Shape, Shelf};
use super::wal::{self, Chain, Held, History, Label, Segment, Wal, WalFile, WalName};
use crate::document::like;
use crate::sample::Timestamp;

/// What a place lists of a WAL archive.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Shown {
    pub(super) wal: Wal,
    /// What its `.backup` files tell of the newest base backups, the newest last.
    pub(super) labels: Vec<Label>,
}

/// The small texts of an archive, each read once: they never change.
#[derive(Debug, Default)]
pub(super) struct Texts(Mutex<HashMap<String, (u64, Option<String>)>>);

/// More timelines and base backups are not asked for.
const MOST_HISTORIES: usize = 1000;
const MOST_LABELS: usize = 32;

impl Shown {
    /// What of these items is WAL, and of those in folders that are named after a timeline and a part of WAL; nothing
    /// when there is none.
    pub(super) fn of(
        shelf: &dyn Shelf,
        items: &[Item],
        pattern: &str,
        texts: &Texts,
    ) -> io::Result<Option<Shown>> {
        let mut files = Files::default();
        for item in items {
            match item.shape {
                Shape::File => files.take(item, "", pattern),
                Shape::Folder if is_part(&item.name) => {
                    let inner = shelf.list(&item.name)?;
                    let each = inner.iter().filter(|inner| inner.shape == Shape::File);
                    each.for_each(|inner| files.take(inner, &item.name, pattern));
                }
                Shape::Folder | Shape::Other => {}
            }
        }
        let Files {
            wal,
            histories,
            mut labels,
        } = files;
        if wal.is_empty() && histories.is_empty() && labels.is_empty() {
            return Ok(None);
        }
        labels.sort();
        let labels = labels.split_off(labels.len().saturating_sub(MOST_LABELS));
        let wanted = histories.iter().map(|(_, path, _)| path);
        texts.keep(wanted.chain(labels.iter().map(|(_, path, _)| path)));
        let begun = histories
            .iter()
            .take(MOST_HISTORIES)
            .filter_map(|(timeline, path, bytes)| {
                History::parse(*timeline, &texts.read(shelf, path, *bytes)?)
            });
        let labels = labels
            .iter()
            .filter_map(|(_, path, bytes)| Label::parse(&texts.read(shelf, path, *bytes)?));
        Ok(Some(Shown {
            labels: labels.collect(),
            wal: Wal {
                histories: begun.collect(),
                files: wal,
            },
        }))
    }

    /// What a tool tells of an archive.
    pub(super) fn told(wal: Wal) -> Shown {
        Shown {
            wal,
            labels: Vec::new(),
        }
    }

    /// Adds what another place shows.
    pub(super) fn add(&mut self, other: Shown) {
        self.wal.files.extend(other.wal.files);
        self.wal.histories.extend(other.wal.histories);
        self.labels.extend(other.labels);
    }
}

#[derive(Default)]
struct Files {
    wal: Vec<WalFile>,
    histories: Vec<(u32, String, u64)>,
    labels: Vec<(String, String, u64)>,
}

impl Files {
    fn take(&mut self, item: &Item, folder: &str, pattern: &str) {
        let Some((name, is_packed)) =
            WalName::parse(&item.name).filter(|_| like(pattern, &item.name))
        else {
            return;
        };
        let path = match folder {
            "" => item.name.clone(),
            folder => format!("{folder}/{}", item.name),
        };
        match name {
            WalName::History(timeline) => self.histories.push((timeline, path, item.bytes)),
            WalName::Label(_, whole) => self.labels.push((whole, path, item.bytes)),
            name => self.wal.push(WalFile {
                name,
                bytes: item.bytes,
                modified: item.modified,
                is_packed,
            }),
        }
    }
}

/// A folder by timeline and the upper half of positions, as pgBackRest and Barman have them.
fn is_part(name: &str) -> bool {
    name.len() == 16 && WalName::parse(&format!("{name}00000000")).is_some()
}

/// Whether a file of this name belongs to WAL and is no backup.
pub(super) fn is_wal(name: &str) -> bool {
    WalName::parse(name).is_some()
}

impl Texts {
    fn read(&self, shelf: &dyn Shelf, path: &str, bytes: u64) -> Option<String> {
        let known = |texts: &HashMap<String, (u64, Option<String>)>| {
            let (size, text) = texts.get(path)?;
            (*size == bytes).then(|| text.clone())
        };
        if let Some(text) = known(&self.lock()) {
            return text;
        }
        let pace = Pace::unlimited(CancellationToken::new());
        let text = inspect::text(shelf, path, &pace);
        // What could not be read is asked for again.
        if text.is_some() {
            self.lock().insert(path.into(), (bytes, text.clone()));
        }
        text
    }

    fn keep<'a>(&self, wanted: impl Iterator<Item = &'a String>) {
        let wanted: HashSet<&String> = wanted.collect();
        self.lock().retain(|path, _| wanted.contains(path));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, (u64, Option<String>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A WAL archive as it stood at a look.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Archive {
    pub(super) held: Held,
    pub(super) labels: Vec<Label>,
}

/// The WAL that a backup needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Need {
    pub(super) first: Segment,
    pub(super) last: Segment,
    /// The position after the last byte needed, where that is known.
    pub(super) end: Option<u64>,
    /// Whether the backup has it inside.
    pub(super) is_inside: bool,
}

impl Archive {
    /// Makes small what was shown. `asked` is what the server says of the size of its segments.
    pub(super) fn of(shown: Shown, asked: Option<u64>) -> Archive {
        let bytes = wal::segment_bytes(asked, &shown.wal.files);
        Archive {
            held: Held::of(&shown.wal, bytes),
            labels: shown.labels,
        }
    }

    /// The archive in a few numbers, for the backups that need it. What is missing or short counts once it was so at
    /// the look before, too.
    pub(super) fn chain(&self, before: Option<&Archive>, needs: &[Need]) -> Chain {
        let begin = |need: &Need| {
            if need.is_inside {
                need.last
            } else {
                need.first
            }
        };
        let oldest = needs.iter().map(begin).min();
        let newest = needs.iter().max_by_key(|need| begin(need));
        let first = self.held.runs.iter().next();
        let from = newest.map(begin).or_else(|| {
            let (timeline, runs) = first?;
            Some(Segment {
                timeline: *timeline,
                number: *runs.first()?.start(),
            })
        });
        let missing = before.map(|before| {
            wal::in_both(
                &wal::gaps(&before.held, oldest),
                &wal::gaps(&self.held, oldest),
            )
        });
        let was_short =
            |segment: &&Segment| before.is_some_and(|before| before.held.short.contains(segment));
        let inside = newest
            .filter(|need| need.is_inside)
            .and_then(|need| need.end);
        Chain {
            segment_bytes: self.held.segment_bytes,
            segments: self.held.segments,
            missing: missing.unwrap_or_default(),
            short: self.held.short.iter().filter(was_short).copied().collect(),
            newest: self.held.newest(),
            unbroken_end: from
                .and_then(|from| wal::reach(&self.held, from))
                .max(inside),
            last_arrival: self.held.last_arrival,
            witnesses: self.labels.clone(),
        }
    }

    /// The first segment that a backup needs and that was not there at two looks.
    pub(super) fn lacks(&self, before: Option<&Archive>, need: &Need) -> Option<Segment> {
        let lacked = self.held.lacks(need.first, need.last);
        let was_lacked =
            before.is_some_and(|before| before.held.lacks(need.first, need.last).is_some());
        lacked.filter(|_| was_lacked)
    }

    /// What the archive knows of the base backup that began at this position.
    pub(super) fn witness(&self, timeline: u32, start: u64) -> Option<&Label> {
        let mut labels = self.labels.iter();
        labels.find(|label| (label.timeline, label.start) == (timeline, start))
    }
}

/// How long a backup took, as its label in the archive says.
pub(super) fn took(label: &Label) -> Option<std::time::Duration> {
    let (started, finished): (Timestamp, Timestamp) = (label.started?, label.finished?);
    (finished >= started).then(|| finished.since(started))
}

#[cfg(test)]
mod tests;
