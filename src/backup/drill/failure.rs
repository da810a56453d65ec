//! Why a drill ended before its time.

use std::io;

/// Why a drill ended before its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// The backup could not be restored, or something asserted of it does not hold.
    Bad(String),
    /// It could not be tried here, which is no word against the backup.
    Impossible(String),
    /// Whoever asked no longer wants to know.
    Stopped,
}

/// What the operating system refuses us while a drill is prepared says nothing about the backup.
pub(super) fn refused(what: impl Into<String>) -> impl FnOnce(io::Error) -> Failure {
    let what = what.into();
    move |error| Failure::Impossible(format!("{what}: {error}"))
}
