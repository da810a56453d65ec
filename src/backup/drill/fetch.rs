//! Brings a backup from its shelf into the folder of a drill.

use std::fs::{self, DirBuilder, File};
use std::io::{self, BufReader, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use super::failure::Failure;
use super::program::Limits;
use crate::backup::inspect;
use crate::backup::shelf::{Item, Shape, Shelf};

/// What lies in a backup's folder; a backup `.` is all of the shelf.
pub(super) fn list(shelf: &dyn Shelf, name: &str) -> io::Result<Vec<Item>> {
    shelf.list(if name == "." { "" } else { name })
}

/// Folders below folders beyond this depth are nobody's backup.
const DEEPEST: usize = 12;

/// Copies a file without its compression.
pub(super) fn file(
    shelf: &dyn Shelf,
    name: &str,
    to: &Path,
    limits: &Limits,
) -> Result<(), Failure> {
    let content = inspect::content(shelf, name).map_err(|error| unreadable(name, &error))?;
    write(name, content, to, limits)
}

/// Copies a folder and all that is below it as it is.
pub(super) fn folder(
    shelf: &dyn Shelf,
    name: &str,
    to: &Path,
    limits: &Limits,
) -> Result<(), Failure> {
    below(shelf, name, to, limits, DEEPEST)
}

fn below(
    shelf: &dyn Shelf,
    name: &str,
    to: &Path,
    limits: &Limits,
    depth: usize,
) -> Result<(), Failure> {
    if depth == 0 {
        return Err(Failure::Bad(format!(
            "`{name}` lies deeper than any backup has folders"
        )));
    }
    let made = DirBuilder::new().mode(0o700).create(to);
    made.map_err(|error| unwritable(name, &error))?;
    for item in list(shelf, name).map_err(|error| unreadable(name, &error))? {
        if item.name.is_empty()
            || item.name.contains('/')
            || [".", ".."].contains(&item.name.as_str())
        {
            return Err(Failure::Bad(format!(
                "`{name}` holds a file without a proper name"
            )));
        }
        let (inner, target) = (inspect::within(name, &item.name), to.join(&item.name));
        match item.shape {
            Shape::Folder => below(shelf, &inner, &target, limits, depth - 1)?,
            Shape::File => {
                let content = shelf
                    .open(&inner)
                    .map_err(|error| unreadable(&inner, &error))?;
                write(&inner, content, &target, limits)?;
            }
            Shape::Other if name.split('/').next_back() == Some("pg_tblspc") => {
                return Err(Failure::Impossible(
                    "the base backup has tablespaces as links, which lead out of it; only the tar form can be drilled then".into(),
                ));
            }
            Shape::Other => {}
        }
    }
    Ok(())
}

/// Unpacks a tar file, compressed or not, below a folder. Links and names that lead out of it are refused.
pub(super) fn tar(
    shelf: &dyn Shelf,
    name: &str,
    to: &Path,
    limits: &Limits,
) -> Result<(), Failure> {
    let content = inspect::content(shelf, name).map_err(|error| unreadable(name, &error))?;
    let mut archive = tar::Archive::new(BufReader::new(content));
    archive.set_preserve_permissions(false);
    archive.set_preserve_mtime(false);
    let bad = |error: &io::Error| Failure::Bad(format!("`{name}` cannot be unpacked: {error}"));
    for entry in archive.entries().map_err(|error| bad(&error))? {
        limits.check()?;
        let mut entry = entry.map_err(|error| bad(&error))?;
        let kind = entry.header().entry_type();
        if kind.is_file() || kind.is_dir() {
            let is_inside = entry.unpack_in(to).map_err(|error| bad(&error))?;
            if !is_inside {
                return Err(Failure::Bad(format!(
                    "`{name}` holds a file whose name leads out of it"
                )));
            }
        }
    }
    Ok(())
}

fn write(name: &str, mut content: impl Read, to: &Path, limits: &Limits) -> Result<(), Failure> {
    let file = File::options()
        .write(true)
        .create_new(true)
        .mode(0o640)
        .open(to);
    let mut file = file.map_err(|error| unwritable(name, &error))?;
    let mut piece = vec![0; 256 << 10];
    loop {
        limits.check()?;
        let count = match content.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(unreadable(name, &error)),
        };
        file.write_all(&piece[..count])
            .map_err(|error| unwritable(name, &error))?;
    }
}

fn unreadable(name: &str, error: &io::Error) -> Failure {
    let words = error.to_string();
    if words.starts_with("is ") || words.starts_with("cannot ") || words.starts_with("stops ") {
        return Failure::Bad(format!("`{name}` {words}"));
    }
    Failure::Bad(format!("`{name}` cannot be read: {words}"))
}

fn unwritable(name: &str, error: &io::Error) -> Failure {
    Failure::Impossible(format!(
        "`{name}` cannot be copied into the work folder: {error}"
    ))
}

/// The bytes of all files below a folder of a shelf.
pub(super) fn bytes(shelf: &dyn Shelf, name: &str) -> io::Result<u64> {
    let mut sum = 0;
    let mut folders = vec![name.to_owned()];
    while let Some(folder) = folders.pop() {
        for item in list(shelf, &folder)? {
            match item.shape {
                Shape::Folder => folders.push(inspect::within(&folder, &item.name)),
                Shape::File => sum += item.bytes,
                Shape::Other => {}
            }
        }
    }
    Ok(sum)
}

/// Makes a folder of the cluster.
pub(super) fn make(path: &Path) -> Result<(), Failure> {
    let made = DirBuilder::new().mode(0o700).recursive(true).create(path);
    made.map_err(super::failure::refused(
        "cannot make a folder for the drill",
    ))
}

/// Empties a file, or makes it.
pub(super) fn put(path: &Path, content: &str) -> Result<(), Failure> {
    fs::write(path, content).map_err(super::failure::refused("cannot write into the cluster"))
}
