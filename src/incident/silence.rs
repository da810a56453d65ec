//! Silences: what is not told for a while, by whose word and why.

use serde::{Deserialize, Serialize};

use super::Matcher;
use crate::sample::{Labels, Timestamp};

/// A promise not to tell of some alerts for a while. Their state goes on; an incident that was announced is still closed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Silence {
    /// Unique for ever.
    pub id: String,
    /// All of them must hold of an alert.
    pub matchers: Vec<Matcher>,
    /// From when on.
    pub starts_at: Timestamp,
    /// Until when; what was ended early ended here.
    pub ends_at: Timestamp,
    /// Who wanted it.
    pub created_by: String,
    /// Why.
    pub comment: String,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// Where a silence stands at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SilenceState {
    /// It has not begun.
    Pending,
    /// It holds.
    Active,
    /// It is over.
    Expired,
}

impl Silence {
    /// Where it stands.
    pub fn state(&self, now: Timestamp) -> SilenceState {
        if now >= self.ends_at {
            SilenceState::Expired
        } else if now < self.starts_at {
            SilenceState::Pending
        } else {
            SilenceState::Active
        }
    }

    /// Whether an alert with these labels is not told of now.
    pub fn mutes(&self, labels: &Labels, now: Timestamp) -> bool {
        self.state(now) == SilenceState::Active
            && self.matchers.iter().all(|matcher| matcher.matches(labels))
    }
}
