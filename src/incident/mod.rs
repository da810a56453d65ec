//! The append-only log of what happened to incidents, and what is folded from it.
//! Takes transitions from `rules` and results from `notify`; hands on the [`Book`] that both read. Start-up is replay.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::rules::{Alert, RuleKey, Transition};
use crate::sample::{Labels, Timestamp};

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// An alert changed.
    Alert(Transition),
    /// A receiver took a message about incidents.
    Delivered(Delivery),
    /// A receiver refused one for good, or the last try failed.
    Failed(Delivery),
}

/// A message to one receiver about one or more incidents.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    /// The receiver's name.
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

/// What one receiver has been told about one incident.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// When it was last told.
    pub at: Timestamp,
    /// Whether it was told of the end.
    pub resolved: bool,
    /// The thread the incident was announced in.
    pub thread: String,
    /// The subject of that thread.
    pub subject: String,
    /// Why it could not be told, when it was given up.
    pub error: String,
}

/// The fold over the log: alerts as they are now, and who has been told what.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Book {
    /// Every alert not yet forgotten, by rule and labels.
    pub alerts: BTreeMap<(RuleKey, Labels), Alert>,
    /// What each receiver was told, by incident and receiver.
    pub told: BTreeMap<(String, String), Told>,
}
