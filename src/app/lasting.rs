//! What belongs to the process and not to a configuration.

use std::sync::{Arc, Mutex, PoisonError};

use super::ledgers::Ledgers;
use crate::config::Config;
use crate::remote_write::RemoteWrite;
use crate::rules::{Statuses, Traces};
use crate::sample::Timestamp;
use crate::scrape::Board;
use crate::store::Store;
use crate::telemetry::Reloads;

/// What outlives a reload; clones are the same.
#[derive(Clone)]
pub struct Lasting {
    pub(super) store: Arc<Store>,
    pub(super) remote_write: Arc<RemoteWrite>,
    pub(super) ledgers: Arc<Ledgers>,
    pub(super) statuses: Arc<Statuses>,
    pub(super) traces: Arc<Traces>,
    pub(super) reloads: Arc<Reloads>,
    /// The board of the configuration in force.
    board: Arc<Mutex<Option<Arc<Board>>>>,
}

impl Lasting {
    /// For a process that begins with this configuration.
    pub fn new(config: &Config) -> Lasting {
        Lasting {
            store: Arc::new(Store::new(&config.store, Timestamp::now())),
            remote_write: Arc::default(),
            ledgers: Arc::default(),
            statuses: Arc::default(),
            traces: Arc::default(),
            reloads: Arc::new(Reloads::begun(Timestamp::now())),
            board: Arc::default(),
        }
    }

    /// Notes that a configuration was read which cannot be used.
    pub fn refused(&self) {
        self.reloads.failed();
    }

    /// Takes over the bounds of another configuration, which is in force from now on.
    pub fn configure(&self, config: &Config) {
        self.reloads.succeeded(Timestamp::now());
        self.store.configure(&config.store, Timestamp::now());
    }

    /// Sends on what waits, for a short time, before the process ends.
    pub async fn farewell(&self) {
        self.remote_write.farewell().await;
    }

    /// Puts the board of a new configuration in force; gives back that of the one before.
    pub(super) fn replace_board(&self, board: &Arc<Board>) -> Option<Arc<Board>> {
        let mut latest = self.board.lock().unwrap_or_else(PoisonError::into_inner);
        latest.replace(board.clone())
    }
}
