//! What pgvigil itself has trouble with: sources it cannot read, people it cannot tell.

use std::collections::BTreeMap;

use super::Tone;
use super::facts::elements;
use crate::notify;
use crate::sample::Timestamp;
use crate::scrape::{LIVENESS, SESSION, Status};
use crate::store::Store;

/// A source that could not be read, or not in full.
#[derive(Debug, Clone, PartialEq)]
pub struct Trouble {
    /// Server, database and collector.
    pub source: String,
    /// Why the last try failed; empty when it only left series out.
    pub reason: String,
    /// When it was last read in full.
    pub last_success: Option<Timestamp>,
    /// Series left out of the last reading.
    pub dropped: u64,
}

/// How delivery to one address is going.
#[derive(Debug, Clone, PartialEq)]
pub struct Address {
    /// The receiver's name, with the mailbox or host where it has several.
    pub name: String,
    /// `email`, `slack` or `alertmanager`.
    pub channel: &'static str,
    /// The colour of it.
    pub tone: Tone,
    /// Messages that were taken.
    pub delivered: u64,
    /// Messages that were refused for good.
    pub failed: u64,
    /// Tries that failed and were repeated.
    pub retried: u64,
    /// Incidents that it should be told of and has not been.
    pub waiting: u64,
    /// When a message was last taken.
    pub last_success: Option<Timestamp>,
    /// Why the last try failed; empty when it did not.
    pub reason: String,
}

pub(super) fn troubles(statuses: &[Status]) -> Vec<Trouble> {
    // That a server does not answer is said on its card.
    let read = statuses
        .iter()
        .filter(|status| ![LIVENESS, SESSION].contains(&&*status.source.collector));
    // What nobody has granted is a choice, which `check` and `explain` name.
    let wrong =
        read.filter(|status| status.error.is_some() && !status.denied || status.dropped > 0);
    let each = wrong.map(|status| Trouble {
        source: status.source.to_string(),
        reason: status.error.clone().unwrap_or_default(),
        last_success: status.last_success,
        dropped: status.dropped,
    });
    each.collect()
}

pub(super) fn addresses(all: BTreeMap<String, notify::Status>) -> Vec<Address> {
    let each = all.into_iter().map(|(name, status)| Address {
        name,
        channel: status.channel,
        tone: match (&status.error, status.last_success) {
            (Some(_), _) => Tone::Warning,
            (None, Some(_)) => Tone::Good,
            (None, None) => Tone::Unknown,
        },
        delivered: status.delivered,
        failed: status.failed,
        retried: status.retried,
        waiting: status.waiting,
        last_success: status.last_success,
        reason: status.error.unwrap_or_default(),
    });
    each.collect()
}

/// Snapshots of the history that were of no use and are kept for a look, by their files' names.
pub(super) fn damaged(store: &Store, now: Timestamp) -> Vec<String> {
    let files = elements(store, "pgvigil_store_snapshot_damaged", now);
    let each = files.iter();
    each.map(|file| file.labels.get("file").to_owned())
        .collect()
}
