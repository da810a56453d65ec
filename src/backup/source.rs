//! One look at a source, whatever kind it is.

use super::archive::{Shown, Texts};
use super::files::{self, Listing};
use super::settings::Place;
use super::{Obstacle, Settings, Sighting};

/// What a look brought.
#[derive(Debug)]
pub(super) enum Look {
    /// Files, which have yet to be read.
    Listing(Listing),
    /// All there is to know.
    Sighting(Sighting),
}

impl Settings {
    /// Looks once at the place, and at the WAL archive that lies apart; this blocks.
    ///
    /// # Errors
    /// What stood in the way.
    pub(super) fn look_at(&self, texts: &[Texts; 2]) -> Result<(Look, Option<Shown>), Obstacle> {
        let mut look = self.place.look(&texts[0])?;
        let mut shown = match &mut look {
            Look::Listing(listing) => listing.wal.take(),
            Look::Sighting(sighting) => sighting.wal.take().map(Shown::told),
        };
        if let Some(apart) = &self.wal {
            let apart = files::list_wal(apart.shelf().as_ref(), &apart.pattern, &texts[1])?;
            shown.get_or_insert_default().add(apart);
        }
        Ok((look, shown))
    }
}

impl Place {
    /// Looks once; this blocks. `texts` are what earlier looks have read of a WAL archive.
    ///
    /// # Errors
    /// What stood in the way.
    pub(super) fn look(&self, texts: &Texts) -> Result<Look, Obstacle> {
        match self {
            Place::Files(files) => {
                files::list(files.shelf().as_ref(), &files.pattern, texts).map(Look::Listing)
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
