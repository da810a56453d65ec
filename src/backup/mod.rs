//! Where the backups of a server should be, and whether they are whole.
//! Takes backup settings; hands sightings as samples to the board.

mod account;
mod archive;
mod bases;
mod checklist;
pub mod drill;
mod ended;
mod exposure;
mod files;
mod inspect;
mod judge;
mod live;
mod log;
mod memory;
mod metric;
mod moment;
mod needs;
mod obstacle;
mod records;
mod report;
mod runbook;
mod saved;
mod settings;
mod shelf;
mod sighting;
mod source;
mod standing;
mod tool;
mod trial;
mod user;
mod verdicts;
mod verify;
mod wal;
mod watch;
mod watched;

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub use account::{Account, Archive};
pub use bases::Base;
pub use checklist::{
    Attestation, Attestations, Brief, Known, Line, Rhythm, Standing, checklist, is_seen, keys,
    title,
};
pub use drill::{Check, Outcome, Phase, Report, Reports};
pub use ended::Ended;
pub use exposure::{EXPOSURE_METRICS, USUAL_OBJECTIVE, watch_exposure};
pub use inspect::{Needed, Table, Trouble, Verdict};
pub use judge::last_attempt;
pub use live::Live;
pub use log::{Log, LogError};
pub use metric::METRICS;
pub use moment::Said;
pub use obstacle::Obstacle;
pub use records::{Facts, Record, Records};
pub use report::report;
pub use runbook::{GUIDES, Guide};
pub use settings::{Access, Address, Files, Place, Provider, Root, Settings, Tool, ToolKind, Way};
pub use shelf::Refusal;
pub use sighting::{Backup, Kind, Origin, Proof, Sighting, Space, State, Storage};
pub use trial::{Trial, try_out};
pub use verify::{Named, named, verify};
pub use wal::{Chain, Gap, History, Label, Segment, Wal, WalFile, WalName};
pub use watch::{compare_copies, survey};
pub use watched::{Firing, Lag, Watched};

use crate::scrape::Board;

/// Watches every backup until stopped, each source in a task of its own. What was read is remembered below `state_dir`,
/// so that a restart does not read everything again.
pub async fn run(
    backups: Vec<Settings>,
    board: Arc<Board>,
    records: Arc<Records>,
    reports: Reports,
    state_dir: &Path,
    stop: CancellationToken,
) {
    let turn = Arc::new(Semaphore::new(1));
    let copied: HashSet<String> = backups
        .iter()
        .filter_map(|settings| settings.copy_of.clone())
        .collect();
    let mut servers = HashSet::new();
    let mut watches = JoinSet::new();
    for settings in backups {
        let part = watch::Part {
            // What is true of all sources of a server is told once, by the first of them.
            is_first: servers.insert(settings.server.clone()),
            is_compared: settings.copy_of.is_some() || copied.contains(&settings.name),
        };
        let known = watch::Shared {
            board: board.clone(),
            records: records.clone(),
            reports: reports.clone(),
            turn: turn.clone(),
        };
        let (state_dir, stop) = (state_dir.to_owned(), stop.clone());
        watches.spawn(async move { watch::run(settings, part, known, &state_dir, stop).await });
    }
    while let Some(ended) = watches.join_next().await {
        if let Err(error) = ended {
            tracing::error!(%error, "the watch of a backup source ended by itself");
        }
    }
}
