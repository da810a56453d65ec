//! Whether the newest of what lies on a shelf may be read: a byte of it is.

use std::io::{self, Read};

use crate::backup::archive::is_part;
use crate::backup::files::Found;
use crate::backup::inspect::{self, within};
use crate::backup::shelf::{Item, Shape, Shelf};
use crate::backup::wal::WalName;
use crate::document::like;

/// Of a folder, so many files are tried.
const MOST_FILES: usize = 16;

/// What could not be read.
pub(super) struct Unread {
    /// Which file, why, and the way out.
    pub(super) words: String,
    /// Whether that is for want of a right.
    pub(super) is_denied: bool,
}

/// Tries the newest backup; of a folder, the files directly in it, and `pg_control`.
pub(super) fn backup(shelf: &dyn Shelf, found: &[Found]) -> Option<Unread> {
    let finished = found.iter().filter(|found| !found.is_partial);
    let newest = finished.max_by_key(|found| found.modified)?;
    let is_folder = newest.name == "."
        || shelf
            .stand(&newest.name)
            .is_ok_and(|item| item.shape == Shape::Folder);
    let tried = match is_folder {
        true => inside(shelf, &newest.name),
        false => vec![newest.name.clone()],
    };
    let mut tried = tried.iter();
    tried.find_map(|name| unread(shelf, "its newest backup", name))
}

fn inside(shelf: &dyn Shelf, folder: &str) -> Vec<String> {
    let items = list(shelf, if folder == "." { "" } else { folder });
    let files = items.iter().filter(|item| item.shape == Shape::File);
    let mut names: Vec<String> = files.map(|item| within(folder, &item.name)).collect();
    names.sort();
    names.truncate(MOST_FILES);
    if items.iter().any(|item| item.name == "global") {
        names.push(within(folder, "global/pg_control"));
    }
    names
}

/// Tries the newest segment of WAL.
pub(super) fn wal(shelf: &dyn Shelf, pattern: &str) -> Option<Unread> {
    let items = list(shelf, "");
    let parts = items.iter().filter(|item| item.shape == Shape::Folder);
    let parts = parts.map(|item| &item.name).filter(|name| is_part(name));
    let inside = parts.max().map(|part| (part.as_str(), list(shelf, part)));
    let newest = |items: &[Item]| -> Option<Item> {
        let is_meant = |item: &&Item| {
            let segment = WalName::parse(&item.name);
            matches!(segment, Some((WalName::Segment(_), _))) && like(pattern, &item.name)
        };
        let segments = items.iter().filter(is_meant);
        segments.max_by_key(|item| item.modified).cloned()
    };
    let name = match &inside {
        Some((part, inside)) => newest(inside).map(|item| within(part, &item.name)),
        None => newest(&items).map(|item| item.name),
    };
    unread(shelf, "its newest segment of WAL", &name?)
}

fn list(shelf: &dyn Shelf, folder: &str) -> Vec<Item> {
    shelf.list(folder).unwrap_or_default()
}

fn unread(shelf: &dyn Shelf, what: &str, name: &str) -> Option<Unread> {
    let read = shelf
        .open(name)
        .and_then(|mut file| file.read(&mut [0]).map(drop));
    // It may have been removed by now.
    let error = read
        .err()
        .filter(|error| error.kind() != io::ErrorKind::NotFound)?;
    let (place, why) = (shelf.title(), inspect::why(&error));
    Some(Unread {
        words: format!("{what}, `{place}/{}`, {why}", name.escape_debug()),
        is_denied: error.kind() == io::ErrorKind::PermissionDenied,
    })
}
