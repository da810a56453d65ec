//! Follows the incident log that the demo's watch writes: what becomes of the alerts.

use std::path::{Path, PathBuf};

use crate::incident::Event;
use crate::rules::Change;

/// The log and how far it has been read.
pub(super) struct Journal {
    path: PathBuf,
    read: usize,
}

/// Something that happened to an alert.
pub(super) struct Turn {
    pub(super) name: String,
    pub(super) severity: String,
    /// `is pending`, `is firing`, `is resolved`.
    pub(super) now: &'static str,
}

impl Journal {
    /// The log of a state directory.
    pub(super) fn of(state_dir: &Path) -> Journal {
        Journal {
            path: state_dir.join("incidents.log"),
            read: 0,
        }
    }

    /// What happened since the last look.
    pub(super) fn news(&mut self) -> Vec<Turn> {
        // Not there before the first event.
        let log = std::fs::read_to_string(&self.path).unwrap_or_default();
        let new = log.get(self.read..).unwrap_or_default();
        // What has no line end yet is still being written.
        let whole = new.rfind('\n').map_or(0, |end| end + 1);
        self.read += whole;
        new[..whole].lines().filter_map(turn).collect()
    }
}

/// A line is a checksum and an event.
fn turn(line: &str) -> Option<Turn> {
    let (_, event) = line.split_once(' ')?;
    let Event::Alert(transition) = serde_json::from_str(event).ok()? else {
        return None;
    };
    let now = match transition.change {
        Change::Pending => "is pending",
        Change::Opened => "is firing",
        Change::Resolved => "is resolved",
        _ => return None,
    };
    let label = |name: &str| transition.alert.labels.get(name).to_owned();
    Some(Turn {
        name: label("alertname"),
        severity: label("severity"),
        now,
    })
}
