//! What a place lists of a WAL archive, by the names of its files.

use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::{Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::backup::inspect::{self, Pace};
use crate::backup::shelf::{Item, Shape, Shelf};
use crate::backup::wal::{History, Label, Wal, WalFile, WalName};
use crate::document::like;

/// What a place lists of a WAL archive.
#[derive(Debug, Clone, PartialEq, Default)]
pub(in crate::backup) struct Shown {
    pub(in crate::backup) wal: Wal,
    /// What its `.backup` files tell of the newest base backups, the newest last.
    pub(in crate::backup) labels: Vec<Label>,
}

/// The small texts of an archive, each read once: they never change.
#[derive(Debug, Default)]
pub(in crate::backup) struct Texts(Mutex<HashMap<String, (u64, Option<String>)>>);

/// More timelines and base backups are not asked for.
const MOST_HISTORIES: usize = 1000;
const MOST_LABELS: usize = 32;

impl Shown {
    /// What of these items is WAL, and of those in folders that are named after a timeline and a part of WAL; nothing
    /// when there is none.
    pub(in crate::backup) fn of(
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
    pub(in crate::backup) fn told(wal: Wal) -> Shown {
        Shown {
            wal,
            labels: Vec::new(),
        }
    }

    /// Adds what another place shows.
    pub(in crate::backup) fn add(&mut self, other: Shown) {
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
pub(in crate::backup) fn is_part(name: &str) -> bool {
    name.len() == 16 && WalName::parse(&format!("{name}00000000")).is_some()
}

/// Whether a file of this name belongs to WAL and is no backup.
pub(in crate::backup) fn is_wal(name: &str) -> bool {
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
