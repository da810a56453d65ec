//! How one source is doing, as reports and pages tell it.

use std::time::Duration;

use crate::sample::{Source, Timestamp};
use crate::scrape::LIVENESS;

/// How one source is doing.
#[derive(Debug, Clone, PartialEq)]
pub struct Status {
    /// The source.
    pub source: Source,
    /// How often it is read.
    pub interval: Duration,
    /// How long the last reading took, without waiting for a connection.
    pub took: Duration,
    /// When it was last tried.
    pub last_attempt: Option<Timestamp>,
    /// When it was last read in full.
    pub last_success: Option<Timestamp>,
    /// Why the last try failed; `None` when it did not.
    pub error: Option<String>,
    /// Whether it failed for want of a right: nothing is wrong, somebody may grant it or not.
    pub denied: bool,
    /// Series on the page.
    pub series: usize,
    /// Series left out by the cap, as unreadable or as duplicates, at the last reading.
    pub dropped: u64,
}

/// Why a server cannot be read, by its sign of life, or else by the source that was tried last.
pub fn reason(statuses: &[Status], server: &str) -> Option<String> {
    let of_server = statuses
        .iter()
        .filter(|status| *status.source.server == *server);
    of_server
        .filter(|status| status.error.is_some())
        .max_by_key(|status| (&*status.source.collector == LIVENESS, status.last_attempt))
        .and_then(|status| status.error.clone())
}
