//! All that is known of backups at one moment, for the page, `/api/backups` and `pgvigil backup status`.
//! Takes the newest records, and what the state directory keeps of drills and attestations.

mod json;

use std::path::Path;
use std::sync::Arc;

use super::checklist::{Attestations, Brief, Known, Line, briefs, checklist};
use super::{Firing, Records, Report, Reports, Watched};
use crate::sample::Timestamp;
pub(super) use json::drill;

/// Whom to ask.
#[derive(Debug, Clone)]
pub struct Archive {
    records: Arc<Records>,
    reports: Reports,
    attestations: Attestations,
}

impl Archive {
    /// What is known below a state directory, beside the records of the sources and the reports of drills.
    pub fn new(records: Arc<Records>, reports: Reports, state_dir: &Path) -> Self {
        Archive {
            records,
            reports,
            attestations: Attestations::new(state_dir),
        }
    }

    /// All that is known now, with what only a running watch sees. This reads files.
    pub fn account(&self, watched: Watched, now: Timestamp) -> Account {
        self.reports.refresh();
        let (records, reports) = (self.records.all(), self.reports.all());
        let (attestations, complaint) = match self.attestations.all() {
            Ok(all) => (all, None),
            Err(error) => (
                Vec::new(),
                Some(format!("attestations cannot be read: {error}")),
            ),
        };
        let known = Known {
            records: &records,
            reports: &reports,
            attestations: &attestations,
            watched: &watched,
            now,
        };
        Account {
            sources: briefs(&known),
            checklist: checklist(&known),
            reports,
            alerts: watched.alerts,
            complaint,
            unjudged: None,
            now,
        }
    }
}

/// All that is known.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Account {
    /// The sources, by name.
    pub sources: Vec<Brief>,
    /// The drills, the newest first.
    pub reports: Vec<Report>,
    /// The checklist.
    pub checklist: Vec<Line>,
    /// The alerts about backups that fire.
    pub alerts: Vec<Firing>,
    /// Why what people have attested is not known.
    pub complaint: Option<String>,
    /// What is not judged, and why, where no running watch has drawn it up.
    pub unjudged: Option<String>,
    /// When it was drawn up.
    pub now: Timestamp,
}

impl Account {
    /// Whether all is well with every source, and no alert fires that is more than worth knowing; `None` when nothing is
    /// known to be bad and something is not known.
    pub fn is_good(&self) -> Option<bool> {
        let all: Vec<Option<bool>> = self.sources.iter().map(Brief::is_good).collect();
        if all.contains(&Some(false)) || self.alerts.iter().any(|alert| alert.is_grave) {
            Some(false)
        } else if all.contains(&None) || all.is_empty() {
            None
        } else {
            Some(true)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_that_calls_for_somebody_is_bad() {
        let alert = |is_grave| Firing {
            name: "RpoExceeded".into(),
            severity: String::new(),
            is_grave,
            about: "nightly".into(),
            summary: String::new(),
            since: Timestamp(0),
        };
        let with = |alerts| Account {
            alerts,
            ..Account::default()
        };
        assert_eq!(with(vec![alert(false)]).is_good(), None);
        assert_eq!(with(vec![alert(false), alert(true)]).is_good(), Some(false));
    }
}
