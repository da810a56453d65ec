//! The files of a source: what lies in its place, by the names that are meant, told apart by content.

use std::io;

use super::Obstacle;
use super::settings::{Files, Root};
use super::shelf::{Bucket, Folder, Item, Shape, Shelf};
use super::sighting::{Space, Storage};
use crate::document::like;
use crate::sample::Timestamp;

/// What one look at the place showed.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Listing {
    /// The files and folders whose names are meant.
    pub(super) found: Vec<Found>,
    /// Room for more.
    pub(super) space: Option<Space>,
}

/// A dump: a file, or a folder of files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) name: String,
    pub(super) bytes: u64,
    /// When it, or the newest of its files, was last written.
    pub(super) modified: Timestamp,
    /// What changes whenever its content does, where the place has such a thing.
    pub(super) version: Option<String>,
    pub(super) storage: Storage,
    /// Its name says that it is still being written.
    pub(super) is_partial: bool,
}

impl Found {
    /// Whether it is what it was, by all that changes with its content. How it is stored may change beside that.
    pub(super) fn is_same(&self, other: &Found) -> bool {
        let stands = |found: &Found| (found.bytes, found.modified, found.is_partial);
        (&self.name, &self.version) == (&other.name, &other.version)
            && stands(self) == stands(other)
    }
}

/// More entries are not looked at.
pub(super) const MOST_ENTRIES: usize = 500_000;
/// What scripts append while they write.
const PARTIAL: [&str; 3] = [".part", ".partial", ".tmp"];
/// What scripts put beside a dump.
const COMPANIONS: [&str; 8] = [
    ".sha256",
    ".sha256sum",
    ".sha1",
    ".md5",
    ".md5sum",
    ".asc",
    ".sig",
    ".log",
];

/// Looks at the place once. Folders are entered only to see whether they are dumps themselves.
pub(super) fn list(shelf: &dyn Shelf, pattern: &str) -> Result<Listing, Obstacle> {
    let refused = |error: &io::Error| shelf.obstacle(error);
    let (mut listing, mut denied) = (Listing::default(), None);
    for item in shelf.list("").map_err(|error| refused(&error))? {
        match found(shelf, item, pattern) {
            Ok(found) => listing.found.extend(found),
            // It was removed between the listing and the look at it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            // A folder that nobody else may enter, such as `lost+found`, says nothing about the dumps beside it.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => denied = Some(error),
            Err(error) => return Err(refused(&error)),
        }
    }
    if let (true, Some(error)) = (listing.found.is_empty(), denied) {
        return Err(refused(&error));
    }
    listing.space = shelf.space();
    Ok(listing)
}

/// Whether what was found is still there unchanged.
pub(super) fn stands(shelf: &dyn Shelf, found: &Found) -> bool {
    let now = shelf.stand(&found.name);
    let now = now.and_then(|item| measured(shelf, item, found.is_partial));
    matches!(now, Ok(Some(now)) if now.is_same(found))
}

fn found(shelf: &dyn Shelf, item: Item, pattern: &str) -> io::Result<Option<Found>> {
    let name = &item.name;
    let stem = PARTIAL.iter().find_map(|ending| name.strip_suffix(ending));
    let is_companion = COMPANIONS.iter().any(|ending| name.ends_with(ending));
    let is_meant = like(pattern, name) || stem.is_some_and(|stem| like(pattern, stem));
    if name.starts_with('.') || is_companion || !is_meant {
        return Ok(None);
    }
    let is_partial = stem.is_some();
    measured(shelf, item, is_partial)
}

/// The size and the last change of a file or of a dump's folder; nothing for anything else.
fn measured(shelf: &dyn Shelf, item: Item, is_partial: bool) -> io::Result<Option<Found>> {
    let mut found = Found {
        bytes: item.bytes,
        modified: item.modified,
        version: item.version,
        storage: item.storage,
        is_partial,
        name: item.name,
    };
    match item.shape {
        Shape::File => return Ok(Some(found)),
        Shape::Other => return Ok(None),
        Shape::Folder => {}
    }
    let mut is_dump = false;
    for inner in shelf.list(&found.name)? {
        if inner.shape == Shape::File {
            found.bytes += inner.bytes;
            found.modified = found.modified.max(inner.modified);
            is_dump |= is_part_of_dump(&inner.name);
        }
    }
    Ok(is_dump.then_some(found))
}

/// `toc.dat`, or a data file such as `3364.dat.gz`.
fn is_part_of_dump(name: &str) -> bool {
    let number = name.split_once(".dat").map(|(number, _)| number);
    number.is_some_and(|number| number == "toc" || number.parse::<u32>().is_ok())
}

impl Files {
    /// Where the files lie.
    pub(super) fn shelf(&self) -> Box<dyn Shelf> {
        match &self.root {
            Root::Folder(folder) => Box::new(Folder(folder.clone())),
            Root::Bucket(address) => Box::new(Bucket::new(address, &self.pattern)),
        }
    }
}

#[cfg(test)]
mod tests;
