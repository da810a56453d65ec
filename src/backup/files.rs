//! The files of a source: what lies in its place, by the names that are meant, told apart by content.

mod sums;

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};

use super::archive::{Shown, Texts, is_wal};
use super::inspect::{base, beside};
use super::settings::{Files, Root};
use super::shelf::{Bucket, Folder, Item, Shape, Shelf};
use super::sighting::{Space, Storage};
use super::{Kind, Obstacle};
use crate::document::like;
use crate::sample::Timestamp;
pub(super) use sums::Beside;
use sums::Sums;

/// What one look at the place showed.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Listing {
    /// The files and folders whose names are meant.
    pub(super) found: Vec<Found>,
    /// The WAL archive, where there is one.
    pub(super) wal: Option<Shown>,
    /// Room for more.
    pub(super) space: Option<Space>,
    /// What is the matter with the place itself, in words.
    pub(super) complaints: Vec<String>,
    /// The newest folder whose name is meant and that may not be entered: whether it is a backup is not known.
    pub(super) closed: Option<Obstacle>,
}

/// A backup: a file, or a folder of files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) name: String,
    pub(super) bytes: u64,
    /// When it, or the newest of its files, was last written.
    pub(super) modified: Timestamp,
    /// What changes whenever its content does, where the place has such a thing.
    pub(super) version: Option<String>,
    pub(super) storage: Storage,
    /// What it holds, as far as its look from outside tells.
    pub(super) kind: Kind,
    /// The file that may hold its checksum.
    pub(super) beside: Option<Beside>,
    /// Its name says that it is still being written.
    pub(super) is_partial: bool,
}

impl Found {
    /// Whether it is what it was, by all that changes with its content. How it is stored may change beside that, and its
    /// checksum file has been read by now, however it stands.
    pub(super) fn is_same(&self, other: &Found) -> bool {
        let stands = |found: &Found| (found.bytes, found.modified, found.is_partial, found.kind);
        (&self.name, &self.version) == (&other.name, &other.version)
            && stands(self) == stands(other)
    }

    /// Names it as it stands, apart from every other and from itself after a change.
    pub(super) fn artefact(&self) -> String {
        let version = self.version.as_deref().unwrap_or_default();
        format!("{} {} {} {version}", self.name, self.bytes, self.modified.0)
    }
}

/// More entries are not looked at.
pub(super) const MOST_ENTRIES: usize = 500_000;
/// What file systems have in the topmost folder, for root alone.
const LOST: &str = "lost+found";
/// What scripts append while they write.
const PARTIAL: [&str; 3] = [".part", ".partial", ".tmp"];
/// What scripts put beside a dump, other than its checksum.
const COMPANIONS: [&str; 4] = ["SUMS", ".asc", ".sig", ".log"];

/// Looks at the place once. Folders are entered only to see whether they are backups themselves, or WAL.
pub(super) fn list(shelf: &dyn Shelf, pattern: &str, texts: &Texts) -> Result<Listing, Obstacle> {
    let refused = |error: &io::Error| shelf.obstacle(error);
    let items = shelf.list("").map_err(|error| refused(&error))?;
    let mut listing = Listing {
        wal: Shown::of(shelf, &items, pattern, texts).map_err(|error| refused(&error))?,
        space: shelf.space(),
        complaints: shelf.complaints(),
        found: Vec::new(),
        closed: None,
    };
    let sums = Sums::of(&items);
    // A single base backup may lie in the place itself.
    let here = base::Form::here(&items).filter(|_| pattern == "*");
    if here.is_some() {
        let whole = whole(shelf, &items).map_err(|error| refused_in(shelf, ".", &error))?;
        listing.found.push(whole);
    }
    let mut denied = None;
    for item in items.into_iter().filter(|item| !base::is_part(here, item)) {
        let (name, modified) = (item.name.clone(), item.modified);
        match found(shelf, item, pattern, &sums) {
            Ok(found) => listing.found.extend(found),
            // It was removed between the listing and the look at it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            // A folder that nobody else may enter, such as `lost+found`, says nothing about the dumps beside it.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                denied = denied.max(Some((name != LOST, modified, name)));
            }
            Err(error) => return Err(refused(&error)),
        }
    }
    if let Some((may_be_backup, _, name)) = denied {
        let error = io::ErrorKind::PermissionDenied.into();
        let obstacle = refused_in(shelf, &name, &error);
        if listing.found.is_empty() && listing.wal.is_none() {
            return Err(obstacle);
        }
        listing.closed = Some(obstacle).filter(|_| may_be_backup);
    }
    Ok(listing)
}

/// What an error means that came from somewhere below a folder of the place.
fn refused_in(shelf: &dyn Shelf, folder: &str, error: &io::Error) -> Obstacle {
    match shelf.obstacle(error) {
        Obstacle::Denied(place, user) => {
            let inner = base::closed(shelf, folder).unwrap_or_else(|| folder.to_owned());
            Obstacle::Denied(format!("{place}/{}", inner.escape_debug()), user)
        }
        obstacle => obstacle,
    }
}

/// What a place shows of a WAL archive, which may be nothing yet.
pub(super) fn list_wal(shelf: &dyn Shelf, pattern: &str, texts: &Texts) -> Result<Shown, Obstacle> {
    let refused = |error: io::Error| shelf.obstacle(&error);
    let items = shelf.list("").map_err(refused)?;
    let shown = Shown::of(shelf, &items, pattern, texts).map_err(refused)?;
    Ok(shown.unwrap_or_default())
}

/// Whether what was found is still there unchanged.
pub(super) fn stands(shelf: &dyn Shelf, found: &Found) -> bool {
    let now = match found.name.as_str() {
        "." => shelf
            .list("")
            .and_then(|items| whole(shelf, &items))
            .map(Some),
        name => shelf
            .stand(name)
            .and_then(|item| measured(shelf, item, found.is_partial)),
    };
    matches!(now, Ok(Some(now)) if now.is_same(found))
}

fn found(shelf: &dyn Shelf, item: Item, pattern: &str, sums: &Sums) -> io::Result<Option<Found>> {
    let name = &item.name;
    let stem = PARTIAL.iter().find_map(|ending| name.strip_suffix(ending));
    let is_meant = like(pattern, name) || stem.is_some_and(|stem| like(pattern, stem));
    let is_hidden = name.starts_with('.') && !pattern.starts_with('.');
    if is_hidden || is_companion(name) || is_wal(name) || !is_meant {
        return Ok(None);
    }
    let (is_partial, beside) = (stem.is_some(), sums.beside(name));
    let found = measured(shelf, item, is_partial)?;
    Ok(found.map(|found| Found { beside, ..found }))
}

/// Whether it goes with a backup and is none itself.
fn is_companion(name: &str) -> bool {
    let mut endings = beside::ENDINGS.iter().chain(&COMPANIONS);
    endings.any(|ending| name.ends_with(ending))
}

/// The size and the last change of a file or of a backup's folder; nothing for anything else.
fn measured(shelf: &dyn Shelf, item: Item, is_partial: bool) -> io::Result<Option<Found>> {
    let mut found = Found {
        bytes: item.bytes,
        modified: item.modified,
        version: item.version,
        storage: item.storage,
        kind: Kind::Dump,
        beside: None,
        is_partial,
        name: item.name,
    };
    match item.shape {
        Shape::File => return Ok(Some(found)),
        Shape::Other => return Ok(None),
        Shape::Folder => {}
    }
    let inner = shelf.list(&found.name)?;
    if let Some(form) = base::Form::of(&inner) {
        found.kind = Kind::Full;
        if form == base::Form::Tree {
            (found.bytes, found.modified) = base::newest_in(shelf, &found.name)?;
            return Ok(Some(found));
        }
    }
    let mut is_dump = found.kind.is_physical();
    for inner in inner.iter().filter(|inner| inner.shape == Shape::File) {
        found.bytes += inner.bytes;
        found.modified = found.modified.max(inner.modified);
        is_dump |= is_part_of_dump(&inner.name);
    }
    Ok(is_dump.then_some(found))
}

/// A base backup that is all of the place.
fn whole(shelf: &dyn Shelf, items: &[Item]) -> io::Result<Found> {
    let form = base::Form::here(items);
    let parts = items
        .iter()
        .filter(|item| base::is_part(form, item) && item.shape == Shape::File);
    let (mut bytes, mut modified) = (0, Timestamp(0));
    for part in parts {
        bytes += part.bytes;
        modified = modified.max(part.modified);
    }
    if form == Some(base::Form::Tree) {
        (bytes, modified) = base::newest_in(shelf, ".")?;
    }
    Ok(Found {
        name: ".".into(),
        bytes,
        modified,
        version: None,
        storage: Storage::default(),
        kind: Kind::Full,
        beside: None,
        is_partial: false,
    })
}

/// `toc.dat`, or a data file such as `3364.dat.gz`.
pub(super) fn is_part_of_dump(name: &str) -> bool {
    let number = name.split_once(".dat").map(|(number, _)| number);
    number.is_some_and(|number| number == "toc" || number.parse::<u32>().is_ok())
}

impl Files {
    /// Where the files lie.
    pub(super) fn shelf(&self) -> Box<dyn Shelf> {
        match &self.root {
            Root::Folder(folder) => Box::new(Folder(match self.single() {
                Some(file) => file.parent().unwrap_or(&file).to_owned(),
                None => folder.clone(),
            })),
            Root::Bucket(address) => Box::new(Bucket::new(address, &self.pattern)),
        }
    }

    /// The names that are meant there.
    pub(super) fn names(&self) -> Cow<'_, str> {
        match self.single().as_deref().and_then(Path::file_name) {
            Some(name) => name.to_string_lossy().into_owned().into(),
            None => self.pattern.as_str().into(),
        }
    }

    /// The file, where a path without a pattern is that of a file; of a link that is named, what it leads to.
    pub(super) fn single(&self) -> Option<PathBuf> {
        match &self.root {
            Root::Folder(path) if self.pattern == "*" && path.is_file() => path.canonicalize().ok(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
