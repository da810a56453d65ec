//! The answer to `repo-ls --recurse --output=json` of a WAL archive.

use std::collections::HashMap;

use serde_json::Value;

use super::super::field::{moment, number, text};
use crate::backup::{Wal, WalFile, WalName};

/// Reads a listing. Where it is of all archives of a stanza, `archive` names the one that is meant.
pub(super) fn read(answer: &Value, archive: Option<&str>) -> Wal {
    let entries = answer.as_object().into_iter().flatten();
    let files = entries.filter(|(_, entry)| text(entry, "/type") == Some("file"));
    let files = files.filter_map(|(path, entry)| {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let top = folder.split('/').next().unwrap_or_default();
        let is_meant = !top.contains('-') || archive.is_none_or(|archive| archive == top);
        let (name, is_packed) = is_meant.then(|| WalName::parse(name)).flatten()?;
        Some(WalFile {
            name,
            bytes: number(entry, "/size").unwrap_or_default(),
            modified: moment(entry, "/time")?,
            is_packed,
        })
    });
    Wal {
        files: files.collect(),
        histories: Vec::new(),
    }
}

/// The timelines of which it holds a history, the newest first.
pub(super) fn timelines(wal: &Wal) -> Vec<u32> {
    let mut timelines: Vec<u32> = wal
        .files
        .iter()
        .filter_map(|file| match file.name {
            WalName::History(timeline) => Some(timeline),
            _ => None,
        })
        .collect();
    timelines.sort_unstable_by(|a, b| b.cmp(a));
    timelines.dedup();
    timelines
}

/// Adds what another repository holds. What both hold came when the first of them had it.
pub(super) fn join(whole: &mut Wal, other: Wal) {
    let mut known: HashMap<WalName, usize> = whole
        .files
        .iter()
        .enumerate()
        .map(|(at, file)| (file.name.clone(), at))
        .collect();
    for file in other.files {
        match known.get(&file.name) {
            Some(&at) => whole.files[at].modified = whole.files[at].modified.min(file.modified),
            None => {
                known.insert(file.name.clone(), whole.files.len());
                whole.files.push(file);
            }
        }
    }
    for history in other.histories {
        if !whole.histories.contains(&history) {
            whole.histories.push(history);
        }
    }
}

#[cfg(test)]
mod tests;
