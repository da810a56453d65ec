//! The incident log that this process has in use. It outlives a reload, and with it what the disk did not take.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;

use crate::config::Config;
use crate::incident::Ledger;

/// The ledger of the state directory, once it is open.
#[derive(Debug, Default)]
pub(super) struct Ledgers(Mutex<Option<Arc<Ledger>>>);

impl Ledgers {
    /// The ledger of the configured state directory: the one in use, unless that is another directory's.
    pub(super) fn of(&self, config: &Config) -> anyhow::Result<Arc<Ledger>> {
        let mut used = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let same = used
            .as_ref()
            .filter(|ledger| ledger.dir() == config.state_dir);
        if let Some(ledger) = same {
            return Ok(ledger.clone());
        }
        let opened = Arc::new(open(config)?);
        *used = Some(opened.clone());
        Ok(opened)
    }
}

fn open(config: &Config) -> anyhow::Result<Ledger> {
    let (ledger, warnings) = Ledger::open(&config.state_dir).with_context(|| {
        format!(
            "cannot use the state directory `{}`",
            config.state_dir.display()
        )
    })?;
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    Ok(ledger)
}
