//! What can happen to incidents: one line of the log each.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Evidence, Silence, Told};
use crate::rules::{Alert, Transition};
use crate::sample::Timestamp;

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// An alert changed.
    Alert(Transition),
    /// A receiver took a message about incidents.
    Delivered(Delivery),
    /// A receiver refused one for good.
    Failed(Delivery),
    /// A silence as it is from now on: a new one, or one that was changed or ended.
    Silenced(Silence),
    /// Somebody has taken an incident on: it is not repeated.
    Acknowledged(Acknowledgement),
    /// What was found about an incident that opened.
    Evidence {
        /// The incident's id.
        incident: String,
        /// By declared query.
        found: Vec<Evidence>,
    },
    /// What a receiver was told of an open incident: written when the log is made small.
    Told {
        /// The incident's id.
        incident: String,
        /// The receiver.
        receiver: String,
        /// What it was told.
        told: Told,
    },
    /// These receivers, and no others, are told from now on.
    Receivers {
        /// Since when.
        at: Timestamp,
        /// Their names.
        names: Vec<String>,
    },
    /// An incident that ended, and who was told what of it: written when the log is made small.
    Ended {
        /// The alert as it was at its end.
        alert: Alert,
        /// By receiver.
        told: BTreeMap<String, Told>,
    },
    /// Of a kind that only a later version knows; it is passed over, and never written.
    #[serde(other)]
    Foreign,
}

/// A message to one receiver about one or more incidents.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    /// The receiver's name; with `/` and the address where the receiver has several.
    pub receiver: String,
    /// When it was taken, or given up.
    pub at: Timestamp,
    /// Each incident with whether the message said `resolved`.
    pub incidents: Vec<(String, bool)>,
    /// What later messages about these incidents refer to, such as a Message-ID; empty where a channel has no threads.
    pub thread: String,
    /// The subject under which the thread runs; empty where a channel has none.
    pub subject: String,
    /// Why it failed; empty for a delivered one.
    pub error: String,
}

/// Somebody's word that an incident is being looked after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// The incident's id.
    pub incident: String,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// What they said; may be empty.
    pub comment: String,
}
