//! A base backup of pg_basebackup: a data directory, or its tar files, held against the manifest written last of all.
//! Takes a folder, or the members of one tar archive; fills in the verdict and says whether every byte has a checksum.

mod awaited;
mod bare;
mod loose;
mod manifest;
mod tapes;
mod tree;
mod wal;

use std::io::{self, Read};

use super::halt::{corrupt, half_written};
use super::input::{Input, head};
use super::{Pace, Reading, Verdict, within};
use crate::backup::shelf::{Item, Shape, Shelf};
use crate::backup::wal::{LONGEST_TEXT, Label};
use crate::backup::{Kind, Proof};
use awaited::{Awaited, short, wrong_sum};
pub(super) use loose::Loose;
use manifest::Manifest;
pub(crate) use tree::{closed, newest as newest_in};

const MANIFEST: &str = "backup_manifest";
const LABEL: &str = "backup_label";
const VERSION: &str = "PG_VERSION";
const CONTROL: &str = "global/pg_control";

/// How a base backup lies in its folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// As a data directory.
    Tree,
    /// As tar files, one for each tablespace.
    Tapes,
}

impl Form {
    /// How it lies, by what is directly in the folder; nothing when that is no base backup.
    pub(crate) fn of(items: &[Item]) -> Option<Form> {
        let has = |name: &str| {
            items
                .iter()
                .any(|item| item.shape == Shape::File && item.name == name)
        };
        let has_tape = items
            .iter()
            .any(|item| item.shape == Shape::File && item.name.starts_with("base.tar"));
        // Each database in a data directory has such a file of its own.
        let has_folder = items.iter().any(|item| {
            item.shape == Shape::Folder && ["base", "global"].contains(&item.name.as_str())
        });
        if has(LABEL) || (has(VERSION) && has_folder) {
            Some(Form::Tree)
        } else if has_tape || has(MANIFEST) {
            Some(Form::Tapes)
        } else {
            None
        }
    }

    /// How the one base backup lies that a whole place is; nothing when it is a place for several.
    pub(crate) fn here(items: &[Item]) -> Option<Form> {
        Form::of(items).filter(|form| *form == Form::Tree || is_ended(items))
    }
}

/// Whether the manifest, which is written last, is there.
pub(crate) fn is_ended(items: &[Item]) -> bool {
    items
        .iter()
        .any(|item| item.shape == Shape::File && item.name == MANIFEST)
}

/// Whether an item is part of the base backup that lies in this form beside it.
pub(crate) fn is_part(form: Option<Form>, item: &Item) -> bool {
    match form {
        None => false,
        Some(Form::Tree) => true,
        Some(Form::Tapes) => item.name == MANIFEST || tapes::Place::of(&item.name).is_some(),
    }
}

/// Whether a tar archive with this first file is a base backup.
pub(super) fn is_first(path: &str) -> bool {
    [LABEL, VERSION].contains(&path)
}

/// Reads every file of the folder; whether every byte agrees with a checksum.
pub(super) fn read(
    shelf: &dyn Shelf,
    folder: &str,
    (form, items): (Form, &[Item]),
    reading: &Reading,
    verdict: &mut Verdict,
) -> io::Result<bool> {
    verdict.kind = Kind::Full;
    verdict.format = match form {
        Form::Tree => "base backup".into(),
        Form::Tapes => "base backup in tar files".into(),
    };
    let open = |name: &str| Input::open(shelf, &within(folder, name), reading.pace);
    let has = |name: &str| {
        items
            .iter()
            .any(|item| item.shape == Shape::File && item.name == name)
    };
    if form == Form::Tree && has(LABEL) {
        take_label(open(LABEL)?, verdict)?;
    }
    if !is_ended(items) {
        return Err(match form {
            Form::Tree if !has(LABEL) => bare::judge(shelf, folder, reading.pace, verdict),
            _ => half_written(
                "has no `backup_manifest`, which is written last: the backup was interrupted",
            ),
        });
    }
    let manifest = Manifest::read(open(MANIFEST)?)?;
    take_manifest(&manifest, verdict);
    match form {
        Form::Tree => tree::read(shelf, folder, manifest, reading, verdict),
        Form::Tapes => tapes::read(shelf, folder, items, manifest, reading, verdict),
    }
}

fn take_manifest(manifest: &Manifest, verdict: &mut Verdict) {
    verdict.proof = Proof::Opened;
    verdict.written = manifest.written;
    verdict.system_identifier = manifest.system_identifier.or(verdict.system_identifier);
    if manifest.files.keys().any(|path| is_incremental(path)) {
        verdict.kind = Kind::Incremental;
    }
    if let (Some(first), Some(last)) = (manifest.wal.first(), manifest.wal.last()) {
        verdict.wal = Some(super::Needed {
            timeline: first.timeline,
            start: first.start,
            end: last.end,
        });
    }
}

/// A file that holds only the blocks that changed.
fn is_incremental(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.starts_with("INCREMENTAL.")
}

fn take_label(reader: impl Read, verdict: &mut Verdict) -> io::Result<()> {
    let text = head(&mut { reader }, LONGEST_TEXT as usize)?;
    let label = Label::parse(&String::from_utf8_lossy(&text))
        .ok_or_else(|| corrupt("has a damaged `backup_label`"))?;
    verdict.began = label.started;
    verdict.since = label.since;
    if label.since.is_some() {
        verdict.kind = Kind::Incremental;
    }
    Ok(())
}

/// The system identifier, with which `pg_control` begins.
fn take_control(start: &[u8], verdict: &mut Verdict) {
    let identifier = start.first_chunk().map(|bytes| u64::from_le_bytes(*bytes));
    verdict.system_identifier = verdict
        .system_identifier
        .or(identifier.filter(|number| *number != 0));
}

/// What is to be said when it is whole, but not everything had a checksum.
fn summed(has_unsummed: bool, verdict: &mut Verdict) -> bool {
    if has_unsummed {
        verdict.remark = Some("complete; its manifest has no checksums".into());
    }
    !has_unsummed
}

#[cfg(test)]
mod tests;
