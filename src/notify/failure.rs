//! Why a message was not taken, and whether trying again can help.

use std::error::Error;
use std::time::Duration;

/// A message that was not taken. The reason never holds a secret.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{reason}")]
pub(super) struct Failure {
    /// What went wrong and, where one can say it, what to change.
    pub(super) reason: String,
    /// Whether trying again can help.
    pub(super) kind: Kind,
}

/// Whether trying again can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Yes; after this long, where the other side said so.
    Temporary(Option<Duration>),
    /// Perhaps; but it is this message that was not taken, so another may be.
    Doubtful,
    /// No, not this message.
    Permanent,
}

impl Failure {
    /// One that passes.
    pub(super) fn temporary(reason: impl Into<String>) -> Self {
        Failure {
            reason: reason.into(),
            kind: Kind::Temporary(None),
        }
    }

    /// One that does not.
    pub(super) fn permanent(reason: impl Into<String>) -> Self {
        Failure {
            reason: reason.into(),
            kind: Kind::Permanent,
        }
    }

    /// The same, when all but the message itself had been taken.
    pub(super) fn of_the_message(mut self) -> Self {
        if matches!(self.kind, Kind::Temporary(_)) {
            self.kind = Kind::Doubtful;
        }
        self
    }
}

/// An error with its causes in one line.
pub(super) fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let said = cause.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        next = cause.source();
    }
    text
}

/// What is at the root of an error, without the number that the system gives it.
pub(super) fn first_cause(error: &(dyn Error + 'static)) -> String {
    let mut root = error;
    while let Some(cause) = root.source() {
        root = cause;
    }
    let system = root.downcast_ref::<std::io::Error>();
    match system.filter(|error| error.raw_os_error().is_some()) {
        Some(error) => error.kind().to_string(),
        None => root.to_string(),
    }
}
