//! A local folder of dumps: what lies in it, by the names that are meant.

use std::fs::{DirEntry, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::settings::Files;
use super::sighting::Space;
use crate::document::like;
use crate::sample::Timestamp;

/// What one look at the folder showed.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Listing {
    /// The files and folders whose names are meant.
    pub(super) found: Vec<Found>,
    /// Room on the file system.
    pub(super) space: Option<Space>,
}

/// A dump: a file, or a folder of files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) bytes: u64,
    /// When it, or the newest of its files, was last written.
    pub(super) modified: Timestamp,
    /// Its name says that it is still being written.
    pub(super) is_partial: bool,
}

/// Why a folder could not be looked at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Obstacle {
    #[error("folder `{0}` does not exist")]
    Missing(String),
    #[error(
        "folder `{0}` cannot be read: {1}; the user that runs pgvigil must be allowed to list and enter it"
    )]
    Unreadable(String, String),
    #[error("folder `{0}` has not answered for {1} s; is it on a file server that is gone?")]
    Silent(String, u64),
    #[error(
        "folder `{0}` holds more than {MOST_ENTRIES} entries; keep the backups in a folder of their own"
    )]
    Endless(String),
}

const MOST_ENTRIES: usize = 500_000;
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

/// Looks at the folder once. Links are not followed, folders below are entered only when they are dumps themselves.
pub(super) fn list(files: &Files) -> Result<Listing, Obstacle> {
    let refused = |error: &io::Error| {
        let folder = files.folder.display().to_string();
        match error.kind() {
            io::ErrorKind::NotFound => Obstacle::Missing(folder),
            _ => Obstacle::Unreadable(folder, error.to_string()),
        }
    };
    let (mut listing, mut denied) = (Listing::default(), None);
    for (place, entry) in std::fs::read_dir(&files.folder)
        .map_err(|error| refused(&error))?
        .enumerate()
    {
        if place >= MOST_ENTRIES {
            return Err(Obstacle::Endless(files.folder.display().to_string()));
        }
        let entry = entry.map_err(|error| refused(&error))?;
        match found(&entry, &files.pattern) {
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
    listing.space = rustix::fs::statvfs(&files.folder).ok().map(|room| Space {
        free: room.f_bavail.saturating_mul(room.f_frsize),
    });
    Ok(listing)
}

/// How a file or dump folder stands now: its size and the time of its last change.
pub(super) fn measure(path: &Path) -> io::Result<Option<(u64, Timestamp)>> {
    let metadata = std::fs::symlink_metadata(path)?;
    if metadata.is_dir() {
        measure_folder(path, &metadata)
    } else {
        Ok(metadata
            .is_file()
            .then(|| (metadata.len(), modified(&metadata))))
    }
}

fn found(entry: &DirEntry, pattern: &str) -> io::Result<Option<Found>> {
    let name = entry.file_name().to_string_lossy().into_owned();
    let stem = PARTIAL.iter().find_map(|ending| name.strip_suffix(ending));
    let is_companion = COMPANIONS.iter().any(|ending| name.ends_with(ending));
    let is_meant = like(pattern, &name) || stem.is_some_and(|stem| like(pattern, stem));
    if name.starts_with('.') || is_companion || !is_meant {
        return Ok(None);
    }
    let (path, is_partial) = (entry.path(), stem.is_some());
    let measured = measure(&path)?;
    Ok(measured.map(|(bytes, modified)| Found {
        is_partial,
        name,
        path,
        bytes,
        modified,
    }))
}

/// Adds up a directory dump; nothing for any other folder.
fn measure_folder(folder: &Path, metadata: &Metadata) -> io::Result<Option<(u64, Timestamp)>> {
    let (mut bytes, mut newest, mut is_dump) = (0, modified(metadata), false);
    for entry in std::fs::read_dir(folder)?.take(MOST_ENTRIES) {
        let entry = entry?;
        let metadata = entry.metadata()?;
        if metadata.is_file() {
            bytes += metadata.len();
            newest = newest.max(modified(&metadata));
            is_dump |= is_part_of_dump(&entry.file_name().to_string_lossy());
        }
    }
    Ok(is_dump.then_some((bytes, newest)))
}

/// `toc.dat`, or a data file such as `3364.dat.gz`.
fn is_part_of_dump(name: &str) -> bool {
    let number = name.split_once(".dat").map(|(number, _)| number);
    number.is_some_and(|number| number == "toc" || number.parse::<u32>().is_ok())
}

fn modified(metadata: &Metadata) -> Timestamp {
    let since_epoch = metadata
        .modified()
        .ok()
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    Timestamp(since_epoch.unwrap_or_default().as_millis() as i64)
}

#[cfg(test)]
mod tests;
