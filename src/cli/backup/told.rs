//! An account of backups as `/api/backups` tells it, whoever has drawn it up.

use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::backup::Outcome;
use crate::sample::Timestamp;

/// What of it a person is shown.
#[derive(Debug, Deserialize)]
pub(super) struct Told {
    #[serde(deserialize_with = "moment")]
    pub(super) at: Timestamp,
    /// `good`, `bad` or `unknown`.
    pub(super) standing: String,
    pub(super) sources: Vec<Source>,
    /// The newest first.
    pub(super) drills: Vec<Drill>,
    pub(super) alerts: Vec<Alert>,
    pub(super) checklist: Vec<Line>,
    pub(super) complaint: Option<String>,
    pub(super) unjudged: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Source {
    pub(super) name: String,
    pub(super) promises: Promises,
    pub(super) problems: Vec<String>,
    pub(super) doubts: Vec<String>,
    #[serde(deserialize_with = "perhaps")]
    pub(super) recovery_point: Option<Timestamp>,
    pub(super) newest: Option<String>,
    #[serde(deserialize_with = "perhaps")]
    pub(super) newest_moment: Option<Timestamp>,
    pub(super) newest_bytes: Option<f64>,
    pub(super) newest_proof: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Promises {
    every_seconds: f64,
}

impl Promises {
    pub(super) fn every(&self) -> Duration {
        Duration::try_from_secs_f64(self.every_seconds).unwrap_or_default()
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Drill {
    pub(super) source: String,
    #[serde(deserialize_with = "moment")]
    pub(super) finished: Timestamp,
    pub(super) outcome: Outcome,
    pub(super) recovery_seconds: f64,
}

#[derive(Debug, Deserialize)]
pub(super) struct Alert {
    pub(super) name: String,
    pub(super) severity: String,
    pub(super) summary: String,
    #[serde(deserialize_with = "moment")]
    pub(super) since: Timestamp,
}

#[derive(Debug, Deserialize)]
pub(super) struct Line {
    pub(super) line: String,
    pub(super) group: String,
    pub(super) title: String,
    pub(super) optional: bool,
    /// `unticked`, or how it is known.
    pub(super) standing: String,
    #[serde(deserialize_with = "perhaps")]
    pub(super) refuted: Option<Timestamp>,
    pub(super) evidence: Vec<String>,
    pub(super) missing: Vec<String>,
    pub(super) way: String,
}

impl Line {
    pub(super) fn is_ticked(&self) -> bool {
        self.standing != "unticked"
    }

    /// Whether it is to be done yet.
    pub(super) fn is_open(&self) -> bool {
        !self.is_ticked() && !self.optional
    }
}

fn moment<'d, D: Deserializer<'d>>(from: D) -> Result<Timestamp, D::Error> {
    perhaps(from)?.ok_or_else(|| D::Error::custom("a moment is missing"))
}

fn perhaps<'d, D: Deserializer<'d>>(from: D) -> Result<Option<Timestamp>, D::Error> {
    let Some(text) = Option::<String>::deserialize(from)? else {
        return Ok(None);
    };
    let read: jiff::Timestamp = text.parse().map_err(D::Error::custom)?;
    Ok(Some(Timestamp(read.as_millisecond())))
}
