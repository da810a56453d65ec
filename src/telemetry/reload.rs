//! Whether the configuration that was last read is in force: a mistake in it leaves the one before, and nobody may look
//! into the log.

use std::sync::{Mutex, PoisonError};

use crate::sample::{Metric, Sample, Timestamp};

pub(super) const SUCCESSFUL: Metric = Metric::gauge(
    "pgvigil_config_last_reload_successful",
    "Whether the configuration that was last read is in force; 0 while the one before is.",
);
pub(super) const SUCCESS_TIME: Metric = Metric::gauge(
    "pgvigil_config_last_reload_success_timestamp_seconds",
    "When the configuration in force was read, in Unix seconds.",
);

/// What became of the last reading. Shared by reference; every call locks for itself.
#[derive(Debug)]
pub struct Reloads(Mutex<(bool, Timestamp)>);

impl Reloads {
    /// For a process that begins with a configuration read at a moment.
    pub fn begun(at: Timestamp) -> Self {
        Reloads(Mutex::new((true, at)))
    }

    /// A configuration was read that is in force from now on.
    pub fn succeeded(&self, at: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = (true, at);
    }

    /// One was read that is of no use.
    pub fn failed(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0 = false;
    }

    pub(super) fn samples(&self) -> [Sample; 2] {
        let (successful, at) = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        [
            SUCCESSFUL.sample(&[], f64::from(u8::from(successful))),
            SUCCESS_TIME.sample(&[], at.seconds()),
        ]
    }
}
