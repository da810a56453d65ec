//! One alert and the changes it goes through (S1 to S8 of the Prometheus state machine).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::sample::{Labels, Sources, Timestamp};

/// The annotation that says why an alert ended, where it is not that its condition did.
pub const ENDED_BECAUSE: &str = "ended_because";

const RULE_REMOVED: &str = "rule removed";

/// Which rule an alert belongs to: stays the same when the rule's text is edited (S10).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RuleKey {
    /// The file's name, `default/NAME.yml` for the embedded set.
    pub file: Arc<str>,
    /// The group's name.
    pub group: Arc<str>,
    /// The alert's name; `NAME#2` for the second rule of one name and the same labels in its group.
    pub rule: Arc<str>,
}

/// Where an alert stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AlertState {
    /// The condition holds, not yet for long enough.
    Pending,
    /// The condition has held long enough.
    Firing,
    /// It fired and the condition no longer holds.
    Resolved,
}

/// One alert of one rule. Its labels are its identity within the rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// The rule it belongs to.
    pub rule: RuleKey,
    /// `alertname`, the rule's labels and the element's.
    pub labels: Labels,
    /// Templated annotations, as of the last evaluation at which the condition held.
    pub annotations: BTreeMap<String, String>,
    /// The value, as of the same evaluation. JSON has no NaN, so it is kept as its bits.
    #[serde(with = "bits")]
    pub value: f64,
    /// Where the samples came from that opened it.
    pub sources: Sources,
    /// Where it stands.
    pub state: AlertState,
    /// When the condition first held.
    pub active_at: Timestamp,
    /// When it began to fire; `startsAt` for Alertmanager.
    pub fired_at: Option<Timestamp>,
    /// The last evaluation at which the condition held.
    pub last_seen: Timestamp,
    /// Since when `keep_firing_for` alone keeps it firing.
    pub keep_firing_since: Option<Timestamp>,
    /// Since when its condition cannot be judged because a source has not succeeded.
    pub stale_since: Option<Timestamp>,
    /// Since when the annotations differ from those last recorded in a transition.
    #[serde(default)]
    pub changed_since: Option<Timestamp>,
    /// When it resolved.
    pub resolved_at: Option<Timestamp>,
}

impl Alert {
    /// The incident's id: fingerprint and the moment it fired. `None` while pending.
    pub fn incident(&self) -> Option<String> {
        self.fired_at
            .map(|fired| format!("{:016x}-{}", self.labels.fingerprint(), fired.0))
    }

    /// The end of an alert whose rule is gone: a firing one resolves and says why, any other is forgotten.
    pub fn ended(&self, at: Timestamp) -> Transition {
        let mut alert = self.clone();
        let change = if self.state == AlertState::Firing {
            let because = (ENDED_BECAUSE.to_owned(), RULE_REMOVED.to_owned());
            alert.annotations.extend([because]);
            alert.state = AlertState::Resolved;
            alert.resolved_at = Some(at);
            Change::Resolved
        } else {
            Change::Forgotten
        };
        Transition { change, at, alert }
    }
}

/// What happened to an alert at an evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// The condition began to hold.
    Pending,
    /// It began to fire: an incident opens.
    Opened,
    /// Annotations changed while it fires.
    Changed,
    /// The condition ended; `keep_firing_for` keeps it.
    KeptFiring,
    /// A source of it has not succeeded, so it stays open.
    Stale,
    /// The condition holds again, or can be judged again.
    Fresh,
    /// It ended.
    Resolved,
    /// It was dropped: a pending one that ended, or a resolved one after 15 minutes.
    Forgotten,
}

/// A change and the whole alert after it, so that state is a fold over transitions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Transition {
    /// What happened.
    pub change: Change,
    /// The slot of the evaluation.
    pub at: Timestamp,
    /// The alert as it is now.
    pub alert: Alert,
}

mod bits {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(value.to_bits())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        u64::deserialize(deserializer).map(f64::from_bits)
    }
}
