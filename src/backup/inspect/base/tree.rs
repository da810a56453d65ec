//! A base backup as a data directory: presence and sizes first, then the checksum of each file.

use std::io;

use super::manifest::{Manifest, Promise};
use super::wal::Inside;
use super::{Awaited, CONTROL, short, summed, take_control, wrong_sum};
use crate::backup::files::MOST_ENTRIES;
use crate::backup::inspect::halt::{Halt, unknowable};
use crate::backup::inspect::input::{Input, head};
use crate::backup::inspect::sum::{Algorithm, Sum};
use crate::backup::inspect::{Reading, Verdict, within};
use crate::backup::shelf::{Item, Shape, Shelf};
use crate::sample::Timestamp;

/// Folders below folders; a data directory has four, and what lies deeper is none of it.
const DEEPEST: usize = 8;

/// A file that is there with the right size.
struct Present {
    path: String,
    bytes: u64,
    modified: Timestamp,
    sum: Option<(Algorithm, Box<str>)>,
}

pub(super) fn read(
    shelf: &dyn Shelf,
    folder: &str,
    manifest: Manifest,
    reading: &Reading,
    verdict: &mut Verdict,
) -> io::Result<bool> {
    let (needed, mut inside) = (manifest.wal.clone(), Inside::default());
    let mut awaited = Awaited::of(manifest);
    let (mut present, mut has_links) = (Vec::new(), false);
    walk(shelf, folder, &mut |path, item| {
        reading.pace.check()?;
        if item.shape == Shape::Other {
            has_links |= path.starts_with("pg_tblspc/");
            return Ok(());
        }
        verdict.stored_bytes += item.bytes;
        if let Some(below) = path.strip_prefix("pg_wal/") {
            inside.take(below, item.bytes);
            // No checksum is known of it, so that it is not read; but whoever restores has to be able to.
            if item.shape == Shape::File {
                shelf.open(&within(folder, path))?;
            }
        }
        if let Some(Promise { bytes, sum }) = awaited.take(path, item.bytes)? {
            present.push(Present {
                path: path.into(),
                bytes,
                modified: item.modified,
                sum,
            });
        }
        Ok(())
    })?;
    if has_links {
        awaited
            .files
            .retain(|path, _| !path.starts_with("pg_tblspc/"));
    }
    awaited.judge()?;
    let control = Input::open(shelf, &within(folder, CONTROL), reading.pace);
    take_control(&head(&mut control?, 8)?, verdict);
    inside.judge(&needed, verdict)?;
    present.sort_by(|one, other| one.path.cmp(&other.path));
    for file in present {
        check(shelf, folder, file, reading)?;
    }
    if has_links {
        return Err(unknowable(
            "has tablespaces that lie elsewhere, behind links: they are not judged; take it with `--format=tar` to have them in it",
        ));
    }
    Ok(summed(awaited.has_unsummed, verdict))
}

/// Reads one file, unless that was done before a restart.
fn check(shelf: &dyn Shelf, folder: &str, file: Present, reading: &Reading) -> io::Result<()> {
    let Some((algorithm, expected)) = file.sum else {
        return Ok(());
    };
    if reading.progress.has(&file.path, file.bytes, file.modified) {
        return Ok(());
    }
    let input = Input::open(shelf, &within(folder, &file.path), reading.pace);
    let sum = input.and_then(|input| summed_to_the_end(input, algorithm));
    let sum = sum.map_err(|error| match Halt::of(&error) {
        Halt::Trouble(trouble, words) => {
            let words = format!("is not whole: its file `{}` {words}", short(&file.path));
            Halt::Trouble(trouble, words).into()
        }
        halt => io::Error::from(halt),
    })?;
    if !sum.eq_ignore_ascii_case(&expected) {
        return Err(wrong_sum(&file.path));
    }
    reading.progress.add(&file.path, file.bytes, file.modified);
    Ok(())
}

fn summed_to_the_end(mut reader: impl io::Read, algorithm: Algorithm) -> io::Result<String> {
    let (mut sum, mut buffer) = (Sum::begin(algorithm), vec![0; 64 << 10]);
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(sum.hex()),
            Ok(count) => sum.add(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Size and last change of everything below a folder: when anything of it was last written or renamed.
pub(crate) fn newest(shelf: &dyn Shelf, folder: &str) -> io::Result<(u64, Timestamp)> {
    let (mut bytes, mut modified) = (0, Timestamp(0));
    walk(shelf, folder, &mut |_, item| {
        bytes += item.bytes;
        modified = modified.max(item.modified);
        Ok(())
    })?;
    Ok((bytes, modified))
}

/// The first folder, at or below this one, that may not be listed.
pub(crate) fn closed(shelf: &dyn Shelf, folder: &str) -> Option<String> {
    let mut waiting = vec![folder.to_owned()];
    while let Some(folder) = waiting.pop() {
        let items = match shelf.list(if folder == "." { "" } else { &folder }) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Some(folder),
            listed => listed.unwrap_or_default(),
        };
        let folders = items.iter().filter(|item| item.shape == Shape::Folder);
        waiting.extend(folders.map(|item| within(&folder, &item.name)));
    }
    None
}

/// Shows everything below a folder but the folders themselves, by its path. Links are not followed.
fn walk(
    shelf: &dyn Shelf,
    folder: &str,
    each: &mut dyn FnMut(&str, &Item) -> io::Result<()>,
) -> io::Result<()> {
    let (mut waiting, mut entries) = (vec![(String::new(), 0)], 0);
    while let Some((below, depth)) = waiting.pop() {
        let place = match (folder, below.as_str()) {
            (".", "") => String::new(),
            (folder, "") => folder.to_owned(),
            (folder, below) => within(folder, below),
        };
        for item in shelf.list(&place)? {
            entries += 1;
            if entries > MOST_ENTRIES {
                return Err(io::ErrorKind::QuotaExceeded.into());
            }
            let path = match below.as_str() {
                "" => item.name.clone(),
                below => format!("{below}/{}", item.name),
            };
            match item.shape {
                Shape::Folder if depth < DEEPEST => waiting.push((path, depth + 1)),
                Shape::Folder => {}
                Shape::File | Shape::Other => each(&path, &item)?,
            }
        }
    }
    Ok(())
}
