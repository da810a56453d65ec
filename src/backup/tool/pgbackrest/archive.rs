//! The answer to `repo-ls --recurse --output=json` of a WAL archive.

use std::collections::HashMap;
use std::fmt;

use serde::Deserializer;
use serde::de::{MapAccess, Visitor};
use serde_json::Value;

use super::super::answer::body;
use super::super::field::{moment, number, text};
use crate::backup::{Wal, WalFile, WalName};

/// Reads a listing. Where it is of all archives of a stanza, `archive` names the one that is meant.
///
/// # Errors
/// Why it is no listing.
pub(super) fn read(text: &str, archive: Option<&str>) -> Result<Wal, String> {
    let mut json = serde_json::Deserializer::from_str(body(text)?);
    let files = json.deserialize_map(Listing(archive));
    let files = files.and_then(|files| json.end().map(|()| files));
    Ok(Wal {
        files: files.map_err(|error| error.to_string())?,
        histories: Vec::new(),
    })
}

/// Takes entries one by one, for an archive may hold very many.
struct Listing<'a>(Option<&'a str>);

impl<'de> Visitor<'de> for Listing<'_> {
    type Value = Vec<WalFile>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a listing of files")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut entries: M) -> Result<Vec<WalFile>, M::Error> {
        let mut files = Vec::new();
        while let Some((path, entry)) = entries.next_entry::<String, Value>()? {
            files.extend(file(&path, &entry, self.0));
        }
        Ok(files)
    }
}

fn file(path: &str, entry: &Value, archive: Option<&str>) -> Option<WalFile> {
    if text(entry, "/type") != Some("file") {
        return None;
    }
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
