//! What was delivered to whom: counters for pgvigil's own metrics and the status page.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::sample::Timestamp;

/// How delivery to one address is going.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// The receiver's name.
    pub receiver: String,
    /// The key of the channel in the configuration, such as `email`.
    pub channel: &'static str,
    /// Messages that were taken.
    pub delivered: u64,
    /// Messages that were refused for good.
    pub failed: u64,
    /// Tries that failed and are repeated.
    pub retried: u64,
    /// Incidents that it should be told of and has not been.
    pub waiting: u64,
    /// Since when the first of them is due; `None` when none is.
    pub waiting_since: Option<Timestamp>,
    /// When its sender last looked at what is due; `None` before it has begun.
    pub last_look: Option<Timestamp>,
    /// By when it looks again, if it lives.
    pub next_look: Timestamp,
    /// When a message was last taken.
    pub last_success: Option<Timestamp>,
    /// Why the last try failed; `None` when it did not.
    pub error: Option<String>,
    /// When the log was last told of that.
    pub logged: Option<Timestamp>,
}

/// The status of every address. Shared by reference; every call locks for itself.
#[derive(Debug, Default)]
pub struct Tally(Mutex<BTreeMap<String, Status>>);

impl Tally {
    /// By address: the receiver's name, with `/` and the mailbox or host where it has several.
    pub fn all(&self) -> BTreeMap<String, Status> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(super) fn update<T>(&self, address: &str, change: impl FnOnce(&mut Status) -> T) -> T {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(all.entry(address.to_owned()).or_default())
    }

    /// Makes an address known before its first message.
    pub(super) fn introduce(&self, address: &str, receiver: &str, channel: &'static str) {
        self.update(address, |status| {
            receiver.clone_into(&mut status.receiver);
            status.channel = channel;
            status.next_look = Timestamp::now();
        });
    }

    /// Drops what is no longer configured.
    pub(super) fn keep(&self, addresses: &[String]) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|address, _| addresses.contains(address));
    }
}
