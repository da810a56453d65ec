//! One look at a source, whatever kind it is.

use super::files::{self, Listing};
use super::settings::Place;
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
                let path = files.folder.join(&files.pattern);
                let path = std::path::absolute(&path).unwrap_or(path);
                format!("file://{}", path.display())
            }
        }
    }
}
