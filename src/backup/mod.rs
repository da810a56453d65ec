//! Where the backups of a server should be, and whether they are whole.
//! Takes backup settings; hands sightings as samples to the board.

mod account;
mod archive;
mod checklist;
pub mod drill;
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
mod settings;
mod shelf;
mod sighting;
mod source;
mod standing;
mod tool;
mod verdicts;
mod wal;
mod watch;

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

pub use account::{Account, Archive};
pub use checklist::{
    Attestation, Attestations, Brief, Known, Line, Rhythm, Standing, checklist, keys, title,
};
pub use drill::{Check, Outcome, Phase, Report, Reports};
pub use exposure::{EXPOSURE_METRICS, watch_exposure};
pub use inspect::{Needed, Table, Trouble, Verdict};
use inspect::{Pace, Progress, Reading};
pub use live::Live;
pub use log::{Log, LogError};
pub use metric::METRICS;
pub use obstacle::Obstacle;
pub use records::{Facts, Record, Records};
pub use report::report;
pub use runbook::{GUIDES, Guide};
pub use settings::{Access, Address, Files, Place, Provider, Root, Settings, Tool, ToolKind, Way};
pub use shelf::Refusal;
use shelf::{Bucket, Folder};
pub use sighting::{Backup, Kind, Origin, Proof, Sighting, Space, State, Storage};
pub use wal::{Chain, Gap, History, Label, Segment, Wal, WalFile, WalName};
pub use watch::survey;

use crate::scrape::Board;

/// Watches every backup until stopped. What was read is remembered below `state_dir`, so that a restart does not read
/// everything again.
pub async fn run(
    backups: Vec<Settings>,
    board: Arc<Board>,
    records: Arc<Records>,
    state_dir: &Path,
    stop: CancellationToken,
) {
    let turn = Arc::new(Semaphore::new(1));
    let copied: HashSet<String> = backups
        .iter()
        .filter_map(|settings| settings.copy_of.clone())
        .collect();
    let mut servers = HashSet::new();
    let watches = backups.into_iter().map(|settings| {
        let part = watch::Part {
            // What is true of all sources of a server is told once, by the first of them.
            is_first: servers.insert(settings.server.clone()),
            is_compared: settings.copy_of.is_some() || copied.contains(&settings.name),
        };
        watch::run(
            settings,
            part,
            board.clone(),
            records.clone(),
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
    // A link that a person names is followed; one that merely lies about is not.
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let folder = path.parent().unwrap_or(&path);
    let has = |name: &str| folder.join(name).is_file();
    let beside = inspect::beside::own(&name, has).or_else(|| inspect::beside::shared(has));
    let reading = Reading {
        pace: &never,
        progress: &Progress::default(),
        beside: beside.as_deref(),
        is_compared: false,
    };
    let verdict = inspect::inspect(&Folder(folder.to_owned()), &name, &reading);
    verdict
        .unwrap_or_else(|| Verdict::listed("unknown"))
        .alone()
}

/// The same for one in a bucket, such as `s3://bucket/daily/rachel.dump`; keys come from the environment.
///
/// # Errors
/// The address is none, in words for the user.
pub fn verify_in_bucket(address: &str) -> Result<Verdict, String> {
    let mut files = Files::read(address)?;
    let Root::Bucket(place) = &mut files.root else {
        return Err(format!("`{address}` is no address of a bucket"));
    };
    let whole = std::mem::take(&mut place.prefix);
    let (folder, name) = whole.rsplit_once('/').unwrap_or(("", &whole));
    if address.contains(['*', '?']) || name.is_empty() {
        return Err(format!("`{address}` does not name one backup"));
    }
    place.prefix = folder.into();
    let never = Pace::unlimited(CancellationToken::new());
    let reading = Reading {
        pace: &never,
        progress: &Progress::default(),
        beside: None,
        is_compared: false,
    };
    let verdict = inspect::inspect(&Bucket::new(place, name), name, &reading);
    Ok(verdict
        .unwrap_or_else(|| Verdict::listed("unknown"))
        .alone())
}

/// Looks at a source once, as the watch does, and says what stands in the way.
///
/// # Errors
/// What stands in the way.
pub fn look(settings: &Settings) -> Result<(), Obstacle> {
    settings.look_at(&Default::default()).map(|_| ())
}
