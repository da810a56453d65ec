//! A folder of this machine.

use std::fs::{DirEntry, File, Metadata};
use std::io::{self, Read};
use std::path::PathBuf;
use std::time::UNIX_EPOCH;

use super::{Item, Shape, Shelf};
use crate::backup::Obstacle;
use crate::backup::files::MOST_ENTRIES;
use crate::backup::sighting::{Space, Storage};
use crate::backup::user::ourselves;
use crate::sample::Timestamp;

/// A folder of this machine. Links are never followed.
#[derive(Debug, Clone)]
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    /// Where a name leads. One that is no text was listed with a mark for what could not be read of it.
    fn path(&self, name: &str) -> PathBuf {
        let path = self.0.join(name);
        if !name.contains(char::REPLACEMENT_CHARACTER) || path.symlink_metadata().is_ok() {
            return path;
        }
        name.split('/').fold(self.0.clone(), |folder, part| {
            let is_it = |entry: &DirEntry| entry.file_name().to_string_lossy() == part;
            let mut entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
            let named = entries.find(is_it).map(|entry| entry.path());
            named.unwrap_or_else(|| folder.join(part))
        })
    }
}

impl Shelf for Folder {
    fn title(&self) -> String {
        self.0.display().to_string()
    }

    fn list(&self, folder: &str) -> io::Result<Vec<Item>> {
        let mut items = Vec::new();
        for entry in std::fs::read_dir(self.path(folder))? {
            if items.len() == MOST_ENTRIES {
                return Err(io::ErrorKind::QuotaExceeded.into());
            }
            let entry = entry?;
            match entry.metadata() {
                Ok(metadata) => {
                    let name = entry.file_name().to_string_lossy().into_owned();
                    items.push(item(name, &metadata));
                }
                // It was removed between the listing and the look at it.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(items)
    }

    fn stand(&self, name: &str) -> io::Result<Item> {
        let metadata = std::fs::symlink_metadata(self.path(name))?;
        let last = name.rsplit('/').next().unwrap_or_default();
        Ok(item(last.into(), &metadata))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(File::open(self.path(name))?))
    }

    fn space(&self) -> Option<Space> {
        let room = rustix::fs::statvfs(&self.0).ok()?;
        Some(Space {
            free: room.f_bavail.saturating_mul(room.f_frsize),
        })
    }

    fn obstacle(&self, error: &io::Error) -> Obstacle {
        match error.kind() {
            io::ErrorKind::NotFound => Obstacle::Missing(self.title()),
            io::ErrorKind::QuotaExceeded => Obstacle::Endless(self.title()),
            io::ErrorKind::PermissionDenied => Obstacle::Denied(self.title(), ourselves()),
            _ => Obstacle::Unreadable(self.title(), error.to_string()),
        }
    }
}

fn item(name: String, metadata: &Metadata) -> Item {
    let shape = match metadata.file_type() {
        kind if kind.is_file() => Shape::File,
        kind if kind.is_dir() => Shape::Folder,
        _ => Shape::Other,
    };
    let since_epoch = metadata
        .modified()
        .ok()
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    Item {
        name,
        shape,
        bytes: if shape == Shape::File {
            metadata.len()
        } else {
            0
        },
        modified: Timestamp(since_epoch.unwrap_or_default().as_millis() as i64),
        version: None,
        storage: Storage::default(),
    }
}
