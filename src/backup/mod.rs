//! Where the backups of a server should be, and whether they are whole.
//! Takes backup settings; hands sightings as samples to the board.

mod files;
mod inspect;
mod judge;
mod metric;
mod report;
mod settings;
mod sighting;
mod standing;
mod verdicts;
mod watch;

use std::path::Path;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use inspect::Pace;
pub use inspect::{Table, Trouble, Verdict};
pub use metric::METRICS;
pub use report::report;
pub use settings::{Files, Settings};
pub use sighting::{Backup, Kind, Origin, Proof, Sighting, Space, State};

use crate::scrape::Board;

/// Watches every backup until stopped. What was read is remembered below `state_dir`, so that a restart does not read
/// everything again.
pub async fn run(
    backups: Vec<Settings>,
    board: Arc<Board>,
    state_dir: &Path,
    stop: CancellationToken,
) {
    let turn = Arc::new(Semaphore::new(1));
    let watches = backups.into_iter().map(|settings| {
        watch::run(
            settings,
            board.clone(),
            state_dir,
            turn.clone(),
            stop.clone(),
        )
    });
    futures_util::future::join_all(watches).await;
}

/// Reads one backup from end to end, as fast as it can be read.
pub fn verify(path: &Path) -> Verdict {
    let never = Pace::unlimited(CancellationToken::new());
    inspect::inspect(path, &never).unwrap_or_else(|| Verdict::listed("unknown"))
}
