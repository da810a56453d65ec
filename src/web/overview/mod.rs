//! What the status page says, as plain values.
//! Takes the view and the time; hands an [`Overview`] to the page.

mod alerts;
mod backups;
mod facts;
mod headline;
mod servers;
mod troubles;

use std::time::Duration;

use super::View;
use crate::sample::Timestamp;

pub use alerts::Notice;
pub use backups::Backup;
pub use facts::Fact;
pub use headline::Headline;
pub use servers::{Server, Standing};
pub use troubles::{Address, Trouble};

/// How much something asks for attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tone {
    /// As it should be.
    Good,
    /// Cannot be judged.
    Unknown,
    /// Worth knowing.
    Info,
    /// Look at it today.
    Warning,
    /// Get up.
    Critical,
}

/// Everything on the status page.
#[derive(Debug, Clone, PartialEq)]
pub struct Overview {
    /// When it was drawn up.
    pub now: Timestamp,
    /// For how long pgvigil has run.
    pub running: Duration,
    /// pgvigil's version.
    pub version: &'static str,
    /// The one sentence above everything.
    pub headline: Headline,
    /// Alerts that fire, the worst first, and of these the newest.
    pub firing: Vec<Notice>,
    /// Alerts whose condition holds, not yet for long enough.
    pub pending: Vec<Notice>,
    /// The watched servers in the order of the configuration.
    pub servers: Vec<Server>,
    /// The backup sources by name.
    pub backups: Vec<Backup>,
    /// What could not be read.
    pub troubles: Vec<Trouble>,
    /// Everyone who is told.
    pub addresses: Vec<Address>,
    /// Whether incidents are safe on the disk.
    pub log_written: bool,
}

/// Draws up the page.
pub fn overview(view: &View, now: Timestamp) -> Overview {
    let statuses = view.board.statuses();
    let (firing, pending) = view.ledger.read(|book| alerts::notices(book, now));
    let mut overview = Overview {
        now,
        running: now.since(view.started),
        version: view.version,
        headline: Headline::default(),
        servers: servers::servers(&view.servers, &view.store, &statuses, now),
        backups: backups::backups(&view.store, &statuses, &firing, now),
        troubles: troubles::troubles(&statuses),
        addresses: troubles::addresses(view.tally.all()),
        log_written: view.ledger.healthy(),
        firing,
        pending,
    };
    overview.headline = headline::headline(&overview);
    overview
}
