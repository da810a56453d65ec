//! One alert, one evaluation further: a function of the old alert, what was found, and the slot.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::sample::{Labels, Sources, Timestamp};

use super::{Alert, AlertState, Alerting, Change, RuleKey, Transition};

/// How long a resolved alert is remembered.
const REMEMBERED: Duration = Duration::from_secs(15 * 60);
/// Changed annotations are recorded no more often than this.
const BETWEEN_CHANGES: Duration = Duration::from_secs(60);

/// An element that meets the condition.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Present {
    pub(super) value: f64,
    pub(super) annotations: BTreeMap<String, String>,
    pub(super) sources: Sources,
}

/// The alert after the evaluation, unless it is forgotten, and what happened to it.
#[derive(Debug, PartialEq)]
pub(super) struct Step {
    pub(super) alert: Option<Alert>,
    pub(super) transition: Option<Transition>,
}

/// The condition holds.
pub(super) fn present(
    old: Option<&Alert>,
    rule: &RuleKey,
    labels: &Labels,
    found: &Present,
    alerting: &Alerting,
    slot: Timestamp,
) -> Step {
    let old = old.filter(|old| old.state != AlertState::Resolved);
    let mut alert = old
        .cloned()
        .unwrap_or_else(|| begun(rule, labels, found, slot));
    let interrupted = alert.stale_since.take().is_some() | alert.keep_firing_since.take().is_some();
    if alert.annotations != found.annotations && alert.changed_since.is_none() {
        alert.changed_since = Some(slot);
    }
    // Where the clock was set back, it began in the future, and would have to wait until then.
    let begins_anew = alert.state == AlertState::Pending && alert.active_at > slot;
    if begins_anew {
        alert.active_at = slot;
    }
    alert.value = found.value;
    alert.annotations.clone_from(&found.annotations);
    alert.sources = alert.sources.union(&found.sources);
    alert.last_seen = slot;
    let change =
        if alert.state == AlertState::Pending && slot.since(alert.active_at) >= alerting.hold {
            alert.state = AlertState::Firing;
            alert.fired_at = Some(slot);
            Some(Change::Opened)
        } else if old.is_none() || begins_anew {
            Some(Change::Pending)
        } else if interrupted {
            Some(Change::Fresh)
        } else if alert.state == AlertState::Firing && overdue(&alert, slot) {
            Some(Change::Changed)
        } else {
            None
        };
    kept(alert, change, slot)
}

/// The condition no longer holds, or (unless `judgeable`) nothing can be said of it.
pub(super) fn absent(old: &Alert, alerting: &Alerting, slot: Timestamp, judgeable: bool) -> Step {
    let mut alert = old.clone();
    match old.state {
        AlertState::Pending => forgotten(alert, slot),
        AlertState::Resolved
            if old
                .resolved_at
                .is_some_and(|end| slot.since(end) <= REMEMBERED) =>
        {
            kept(alert, None, slot)
        }
        AlertState::Resolved => forgotten(alert, slot),
        AlertState::Firing if !judgeable => {
            let change = old.stale_since.is_none().then_some(Change::Stale);
            alert.stale_since.get_or_insert(slot);
            kept(alert, change, slot)
        }
        AlertState::Firing => {
            let was_stale = alert.stale_since.take().is_some();
            // No later than now, also where the clock was set back.
            let since = slot.min(alert.keep_firing_since.unwrap_or(slot));
            alert.keep_firing_since = Some(since);
            if slot.since(since) < alerting.keep_firing_for {
                let begins = old
                    .keep_firing_since
                    .is_none()
                    .then_some(Change::KeptFiring);
                return kept(alert, begins.or(was_stale.then_some(Change::Fresh)), slot);
            }
            alert.state = AlertState::Resolved;
            alert.resolved_at = Some(slot);
            alert.keep_firing_since = None;
            kept(alert, Some(Change::Resolved), slot)
        }
    }
}

fn begun(rule: &RuleKey, labels: &Labels, found: &Present, slot: Timestamp) -> Alert {
    Alert {
        rule: rule.clone(),
        labels: labels.clone(),
        annotations: found.annotations.clone(),
        value: found.value,
        sources: found.sources.clone(),
        state: AlertState::Pending,
        active_at: slot,
        fired_at: None,
        last_seen: slot,
        keep_firing_since: None,
        stale_since: None,
        changed_since: None,
        resolved_at: None,
    }
}

fn overdue(alert: &Alert, slot: Timestamp) -> bool {
    alert
        .changed_since
        .is_some_and(|since| slot.since(since) >= BETWEEN_CHANGES)
}

fn kept(mut alert: Alert, change: Option<Change>, slot: Timestamp) -> Step {
    if change.is_some() {
        alert.changed_since = None;
    }
    let transition = change.map(|change| Transition {
        change,
        at: slot,
        alert: alert.clone(),
    });
    Step {
        alert: Some(alert),
        transition,
    }
}

fn forgotten(alert: Alert, slot: Timestamp) -> Step {
    let transition = Transition {
        change: Change::Forgotten,
        at: slot,
        alert,
    };
    Step {
        alert: None,
        transition: Some(transition),
    }
}

#[cfg(test)]
mod tests;
