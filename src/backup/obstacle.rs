//! Why the backups of a source could not be looked at.

use super::files::MOST_ENTRIES;
use super::shelf::Refusal;

/// What stood in the way of a look. Its words name the thing, the cause and the way out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    /// The folder or bucket does not exist.
    #[error("folder `{0}` does not exist")]
    Missing(String),
    /// It may not be listed by the user that we are.
    #[error(
        "folder `{0}` may not be read by the user `{1}`, as whom pgvigil runs (Permission denied); let `{1}` list it, and enter it and those above it, by its group or with `setfacl -m u:{1}:rX`"
    )]
    Denied(String, String),
    /// It cannot be listed.
    #[error("folder `{0}` cannot be read: {1}")]
    Unreadable(String, String),
    /// It has not answered for so many seconds.
    #[error("folder `{0}` has not answered for {1} s; is it on a file server that is gone?")]
    Silent(String, u64),
    /// It holds too much.
    #[error(
        "folder `{0}` holds more than {MOST_ENTRIES} entries; keep the backups in a folder of their own"
    )]
    Endless(String),
    /// A look ended by a fault of ours.
    #[error(
        "`{0}` could not be looked at: pgvigil has a fault of its own here, and its log has more of it"
    )]
    Fault(String),
    /// The program of a tool cannot be started, and why.
    #[error("`{0}` cannot be run: {1}; install it, or write its whole path as `command`")]
    ToolMissing(String, String),
    /// A tool says that it could not look, in its own words.
    #[error("{0} cannot tell of its backups: {1}")]
    ToolFailed(String, String),
    /// A tool did not answer within so many seconds.
    #[error(
        "{0} has not answered for {1} s and was stopped; run it by hand, as the user that runs pgvigil, or raise `timeout`"
    )]
    ToolSilent(String, u64),
    /// An answer is not there, cut short, or of no form that is known.
    #[error("the answer of {0} cannot be read: {1}")]
    AnswerUnreadable(String, String),
    /// An answer that is written elsewhere has not been written for so many seconds.
    #[error("the answer of {0} is {1} s old; does whatever writes it still run?")]
    AnswerOld(String, u64),
    /// The object store did not give a listing.
    #[error("bucket `{0}` {1}")]
    Refused(String, Refusal),
}

impl Obstacle {
    /// The values of the label `problem` that an obstacle can have.
    pub const PROBLEMS: [&str; 7] = [
        "folder_missing",
        "folder_unreadable",
        "tool_missing",
        "tool_failed",
        "tool_silent",
        "answer_unreadable",
        "answer_old",
    ];

    /// The value of the label `problem`.
    pub fn problem(&self) -> &'static str {
        match self {
            Obstacle::Missing(_) | Obstacle::Refused(_, Refusal::NoBucket) => "folder_missing",
            Obstacle::Denied(..)
            | Obstacle::Unreadable(..)
            | Obstacle::Silent(..)
            | Obstacle::Endless(_)
            | Obstacle::Fault(_)
            | Obstacle::Refused(..) => "folder_unreadable",
            Obstacle::ToolMissing(..) => "tool_missing",
            Obstacle::ToolFailed(..) => "tool_failed",
            Obstacle::ToolSilent(..) => "tool_silent",
            Obstacle::AnswerUnreadable(..) => "answer_unreadable",
            Obstacle::AnswerOld(..) => "answer_old",
        }
    }
}
