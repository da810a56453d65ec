//! Why reading ended before its time. It travels inside [`io::Error`], through any decoder, unchanged.

use std::io;

use super::Trouble;
use crate::backup::user::not_ours;

/// Why reading ended.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum Halt {
    /// Something is wrong with the backup.
    #[error("{1}")]
    Trouble(Trouble, String),
    /// Nothing is wrong, but no more can be known.
    #[error("{0}")]
    Unknowable(String),
    /// Its place stopped answering: nothing is known, but more could be.
    #[error("{0}")]
    Lost(String),
    /// Whoever asked no longer wants to know.
    #[error("stopped")]
    Stopped,
}

impl From<Halt> for io::Error {
    fn from(halt: Halt) -> Self {
        io::Error::other(halt)
    }
}

impl Halt {
    /// The halt an error carries, or one for an error of the operating system.
    pub(super) fn of(error: &io::Error) -> Halt {
        carried(error).unwrap_or_else(|| {
            let is_here = error.raw_os_error().is_some();
            let words = match error.kind() {
                io::ErrorKind::PermissionDenied if is_here => not_ours(),
                // Of what an object store says, the store is the subject.
                io::ErrorKind::PermissionDenied => format!("its place {error}"),
                io::ErrorKind::NotFound if !is_here => "its place has nothing of that name".into(),
                _ => error.to_string(),
            };
            let words = format!("cannot be read: {words}");
            match error.kind() {
                // What only its place can bring back, or name.
                io::ErrorKind::Unsupported => Halt::Unknowable(error.to_string()),
                io::ErrorKind::NetworkDown | io::ErrorKind::TimedOut => {
                    Halt::Lost(format!("cannot be read: its place {error}"))
                }
                _ => Halt::Trouble(Trouble::Unreadable, words),
            }
        })
    }
}

/// The halt an error carries, where it carries one.
pub(super) fn carried(error: &io::Error) -> Option<Halt> {
    error.get_ref()?.downcast_ref::<Halt>().cloned()
}

pub(super) fn half_written(words: impl Into<String>) -> io::Error {
    Halt::Trouble(Trouble::HalfWritten, words.into()).into()
}

pub(super) fn corrupt(words: impl Into<String>) -> io::Error {
    Halt::Trouble(Trouble::Corrupt, words.into()).into()
}

pub(super) fn unknowable(words: impl Into<String>) -> io::Error {
    Halt::Unknowable(words.into()).into()
}
