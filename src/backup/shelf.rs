//! A place where files lie, seen alike whether it is a folder of this machine or a bucket. All calls block.

mod bucket;
mod folder;

use std::fmt;
use std::io::{self, Read};

pub use bucket::Refusal;
pub(crate) use bucket::{Bucket, LONGEST_LISTING};
pub(crate) use folder::Folder;

use super::Obstacle;
use super::sighting::{Space, Storage};
use crate::sample::Timestamp;

/// A place where files lie. Names are relative to it, with `/` between folders.
pub(crate) trait Shelf: fmt::Debug + Send + Sync {
    /// What a person calls it: a path or an address, without secrets.
    fn title(&self) -> String;

    /// What lies directly in a folder; the empty name is the place itself.
    ///
    /// # Errors
    /// When it cannot be listed; `obstacle` says what that means.
    fn list(&self, folder: &str) -> io::Result<Vec<Item>>;

    /// How one file or folder stands now.
    ///
    /// # Errors
    /// When it is gone or cannot be asked for.
    fn stand(&self, name: &str) -> io::Result<Item>;

    /// The content of a file from its first byte on.
    ///
    /// # Errors
    /// When it cannot be opened.
    fn open(&self, name: &str) -> io::Result<Box<dyn Read + Send>>;

    /// Room for more, where that is limited.
    fn space(&self) -> Option<Space>;

    /// What is the matter with the place itself, as it was last listed, in words.
    fn complaints(&self) -> Vec<String> {
        Vec::new()
    }

    /// What an error of `list` means for whoever looks at the place.
    fn obstacle(&self, error: &io::Error) -> Obstacle;
}

/// A file or folder on a shelf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    /// Its last name, without the folders before it.
    pub(crate) name: String,
    pub(crate) shape: Shape,
    /// Stored size; 0 for a folder.
    pub(crate) bytes: u64,
    /// When it was last written; for a folder, when its entries last changed, where that is known.
    pub(crate) modified: Timestamp,
    /// What changes whenever its content does, where the place has such a thing (an ETag).
    pub(crate) version: Option<String>,
    pub(crate) storage: Storage,
}

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    File,
    Folder,
    /// A pipe, a device, a link: nothing that may be opened.
    Other,
}
