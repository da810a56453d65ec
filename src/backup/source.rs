//! One look at a source, whatever kind it is.

use std::time::Duration;

use super::archive::{Shown, Texts};
use super::files::{self, Listing};
use super::settings::{Place, Root};
use super::shelf::LONGEST_LISTING;
use super::{Obstacle, Settings, Sighting, tool};
use crate::sample::Timestamp;

/// A folder that takes longer is on a file server that is gone.
const LONGEST_LOOK: Duration = Duration::from_secs(30);

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
        let look = self.place.look(&texts[0])?;
        self.look_apart(look, &texts[1])
    }

    /// Adds the WAL archive that lies apart to what a look at the place brought; this blocks.
    ///
    /// # Errors
    /// What stood in the way.
    pub(super) fn look_apart(
        &self,
        mut look: Look,
        texts: &Texts,
    ) -> Result<(Look, Option<Shown>), Obstacle> {
        let mut shown = match &mut look {
            Look::Listing(listing) => listing.wal.take(),
            Look::Sighting(_) => None,
        };
        if let Some(apart) = &self.wal {
            let apart = files::list_wal(apart.shelf().as_ref(), &apart.names(), texts)?;
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
                files::list(files.shelf().as_ref(), &files.names(), texts).map(Look::Listing)
            }
            Place::Tool(tool) => {
                let mut runtime = tokio::runtime::Builder::new_current_thread();
                let runtime = runtime
                    .enable_all()
                    .build()
                    .map_err(|error| Obstacle::ToolMissing(self.title(), error.to_string()))?;
                runtime
                    .block_on(tool.look(Timestamp::now()))
                    .map(Look::Sighting)
            }
        }
    }

    /// A look that takes longer has failed.
    pub(super) fn patience(&self) -> Duration {
        match self {
            // An object store has a deadline of its own, and words for it.
            Place::Files(_) if self.is_bucket() => LONGEST_LISTING * 2,
            Place::Files(_) => LONGEST_LOOK,
            Place::Tool(tool) => tool.timeout + LONGEST_LOOK,
        }
    }

    /// What it is called when a look ended by a fault of ours.
    pub(super) fn fault(&self) -> Obstacle {
        const FAULT: &str = "pgvigil has a fault of its own here, and its log has more of it";
        match self {
            Place::Files(_) => Obstacle::Fault(self.title()),
            Place::Tool(_) => Obstacle::ToolFailed(self.title(), FAULT.into()),
        }
    }

    /// What that is called.
    pub(super) fn silence(&self, seconds: u64) -> Obstacle {
        match self {
            Place::Files(_) => Obstacle::Silent(self.title(), seconds),
            Place::Tool(_) => Obstacle::ToolSilent(self.title(), seconds),
        }
    }

    /// Completes what a tool tells from what an earlier look saw; what is the matter with it all the same.
    pub(super) fn weigh(
        &self,
        before: Option<&Sighting>,
        now: &mut Sighting,
        at: Timestamp,
    ) -> Option<Obstacle> {
        let Place::Tool(tool) = self else { return None };
        if let Some(before) = before {
            tool::carry(tool.kind, before, now, at);
        }
        tool.doubt(now, at)
    }

    /// By when all that had been archived is in what a look showed of WAL. A look sees what is there when it begins; an
    /// answer that was written elsewhere, what was there when the tool was asked, which may have taken it all its time.
    pub(super) fn wal_seen(&self, began: Timestamp, told: Option<Timestamp>) -> Timestamp {
        match (self, told) {
            (Place::Tool(tool), Some(told)) if tool.archive.is_some() => {
                began.min(told.before(tool.timeout))
            }
            _ => began,
        }
    }

    /// Whether a tool is asked.
    pub(super) fn is_tool(&self) -> bool {
        matches!(self, Place::Tool(_))
    }

    /// Whether it is in an object store.
    pub fn is_bucket(&self) -> bool {
        matches!(self, Place::Files(files) if matches!(files.root, Root::Bucket(_)))
    }

    /// What a person calls it: a path, an address or a command, without secrets.
    pub fn title(&self) -> String {
        match self {
            Place::Files(files) => files.shelf().title(),
            Place::Tool(tool) => tool.title(),
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
                let path = match files.single() {
                    Some(file) => file,
                    None => folder.join(&files.pattern),
                };
                let path = std::path::absolute(&path).unwrap_or(path);
                format!("file://{}", path.display())
            }
            Place::Tool(tool) => tool.url(),
        }
    }
}
