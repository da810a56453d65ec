//! Why the backups of a source could not be looked at.

use super::files::MOST_ENTRIES;
use super::shelf::Refusal;

/// What stood in the way of a look. Its words name the thing, the cause and the way out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    /// The folder or bucket does not exist.
    #[error("folder `{0}` does not exist")]
    Missing(String),
    /// It may not be listed.
    #[error(
        "folder `{0}` cannot be read: {1}; the user that runs pgvigil must be allowed to list and enter it"
    )]
    Unreadable(String, String),
    /// It has not answered for so many seconds.
    #[error("folder `{0}` has not answered for {1} s; is it on a file server that is gone?")]
    Silent(String, u64),
    /// It holds too much.
    #[error(
        "folder `{0}` holds more than {MOST_ENTRIES} entries; keep the backups in a folder of their own"
    )]
    Endless(String),
    /// The object store did not give a listing.
    #[error("bucket `{0}` {1}")]
    Refused(String, Refusal),
}

impl Obstacle {
    /// Every value of the label `problem` that an obstacle can have.
    pub const PROBLEMS: [&str; 2] = ["folder_missing", "folder_unreadable"];

    /// The value of the label `problem`.
    pub fn problem(&self) -> &'static str {
        match self {
            Obstacle::Missing(_) | Obstacle::Refused(_, Refusal::NoBucket) => "folder_missing",
            Obstacle::Unreadable(..)
            | Obstacle::Silent(..)
            | Obstacle::Endless(_)
            | Obstacle::Refused(..) => "folder_unreadable",
        }
    }
}
