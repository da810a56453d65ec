//! Where the backups of a server should be, and whether they are whole.
//! Takes backup settings; hands sightings as samples to the board.

mod inspect;
mod settings;
mod sighting;

use std::path::Path;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

pub use inspect::{Table, Trouble, Verdict};
pub use settings::{Files, Settings};
pub use sighting::{Backup, Kind, Origin, Proof, Sighting, Space, State};

use crate::scrape::Board;

/// Watches every backup until stopped. What was verified is remembered below `state_dir`.
pub async fn run(
    _backups: Vec<Settings>,
    _board: Arc<Board>,
    _state_dir: &Path,
    _stop: CancellationToken,
) {
    todo!()
}

/// Reads one backup from end to end, as fast as it can be read.
pub fn verify(_path: &Path) -> Verdict {
    todo!()
}

/// A verdict in words for a terminal, several lines.
pub fn report(_verdict: &Verdict) -> String {
    todo!()
}

/// Every metric about backups.
pub const METRICS: &[crate::sample::Metric] = &[];
