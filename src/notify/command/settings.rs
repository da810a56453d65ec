//! `command:` of a receiver.

use std::time::Duration;

use crate::document::{Section, Thing};

/// A program that takes messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The program.
    pub program: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// How long it may take.
    pub timeout: Duration,
}

impl Settings {
    /// Reads the section; `None` when it cannot be used, with the problems noted.
    pub fn read(s: &mut Section) -> Option<Self> {
        let doc = "The program and its arguments; no shell reads them, and only the program is ever shown. It gets the message, in the form of an \
                   Alertmanager's webhook, on its standard input, and the key that tells a repeated message in \
                   `IDEMPOTENCY_KEY`. It ends with 0 when it took the message, with 64 to 78 (but 75) when it \
                   refuses it for good; after 75 or anything else it is run again. What it writes first on its error \
                   channel is shown as the reason.";
        let run = s.secret_texts("run", doc);
        let doc = "How long it may take; then it and all that it started are killed, and it is run again.";
        let timeout = s.duration("timeout", "30s", doc);
        if timeout.is_zero() {
            s.problem("timeout", "must be longer than zero", None);
        }
        let mut run = run.into_iter();
        let Some(program) = run.next().filter(|program| !program.is_empty()) else {
            let hint = "[/usr/local/bin/page-me, oncall]";
            s.problem("run", "needs at least a program", Some(hint));
            return None;
        };
        s.names("run", Thing::Program(program.clone()));
        Some(Settings {
            program,
            arguments: run.collect(),
            timeout,
        })
    }
}
