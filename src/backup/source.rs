//! One look at a source, whatever kind it is.

use std::time::Duration;

use super::files::{self, Listing};
use super::settings::{Place, Root};
use super::shelf::LONGEST_LISTING;
use super::{Obstacle, Sighting};

/// What a look brought.
#[derive(Debug)]
pub(super) enum Look {
    /// Files, which have yet to be read.
    Listing(Listing),
    /// All there is to know.
    Sighting(Sighting),
}

impl Place {
    /// Looks once; this blocks.
    ///
    /// # Errors
    /// What stood in the way.
    pub(super) fn look(&self) -> Result<Look, Obstacle> {
        match self {
            Place::Files(files) => {
                files::list(files.shelf().as_ref(), &files.pattern).map(Look::Listing)
            }
        }
    }

    /// Whether it is in an object store.
    pub fn is_bucket(&self) -> bool {
        let Place::Files(files) = self;
        matches!(files.root, Root::Bucket(_))
    }

    /// A look that takes longer has failed. An object store has a deadline of its own, and words for it.
    pub(super) fn longest_look(&self) -> Duration {
        match self.is_bucket() {
            true => LONGEST_LISTING * 2,
            false => Duration::from_secs(30),
        }
    }

    /// What a person calls it: a path, an address or a command, without secrets.
    pub fn title(&self) -> String {
        match self {
            Place::Files(files) => files.shelf().title(),
        }
    }

    /// The same as an address.
    pub fn url(&self) -> String {
        match self {
            Place::Files(files) => {
                let folder = match &files.root {
                    Root::Folder(folder) => folder,
                    Root::Bucket(address) => {
                        return format!("{}/{}", address.title(), files.pattern);
                    }
                };
                let path = folder.join(&files.pattern);
                let path = std::path::absolute(&path).unwrap_or(path);
                format!("file://{}", path.display())
            }
        }
    }
}
