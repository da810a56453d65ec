//! What one address is to be told of one incident, and when. Pure.

use std::time::Duration;

use super::due::Reason;
use super::policy::Route;
use crate::incident::Told;
use crate::rules::Alert;
use crate::sample::Timestamp;

/// What was refused for good is offered again after this long, for somebody may have put things right.
const AGAIN: Duration = Duration::from_secs(3600);

/// The end of an incident that was refused for good is not offered after this long.
const GIVEN_UP: Duration = Duration::from_secs(24 * 3600);

/// A moment further ahead than this was written before the clock was set back.
const AHEAD: Duration = Duration::from_secs(60);

/// One incident as one address sees it.
#[derive(Clone, Copy)]
pub(super) struct Case<'a> {
    /// The alert as it is now.
    pub(super) alert: &'a Alert,
    /// What the address was told of it.
    pub(super) told: Option<&'a Told>,
    /// On which of the ways it may come to the address; `None` when it does not, or is not to be announced.
    pub(super) route: Option<&'a Route<'a>>,
    /// Whether somebody looks after it, so that it need not be repeated.
    pub(super) acknowledged: bool,
    /// Since when it is told anything.
    pub(super) joined: Option<Timestamp>,
    /// Whether the same alert fires again as another incident.
    pub(super) reopened: bool,
    /// How long what is due is held, so that rules that fire together give one message.
    pub(super) batch: Duration,
    /// The time.
    pub(super) now: Timestamp,
}

/// What there is to tell, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) reason: Reason,
    /// From when on it may be in a message.
    pub(super) at: Timestamp,
    /// When a message is to be sent for it.
    pub(super) ready: Timestamp,
}

impl Case<'_> {
    /// What there is to tell, if anything.
    pub(super) fn plan(&self) -> Option<Plan> {
        let refused = self.told.is_some_and(|told| !told.error.is_empty());
        match (self.alert.resolved_at, self.told) {
            (None, None) => self.announce(Reason::Opened, self.due()?, self.batch),
            (None, Some(told)) if refused => {
                let again = self.after(told.at, AGAIN);
                self.announce(Reason::Opened, again, self.batch)
            }
            (None, Some(_)) if self.acknowledged => None,
            (None, Some(told)) => {
                let again = self.after(told.at, self.route?.terms.repeat);
                self.announce(Reason::Repeated, again, Duration::ZERO)
            }
            (Some(ended), None) => self.missed(ended),
            (Some(_), Some(told)) if told.resolved && !refused => None,
            (Some(ended), Some(told)) if refused => {
                let lost = told.resolved && self.now.since(ended) > GIVEN_UP;
                (!lost).then(|| self.close(self.after(told.at, AGAIN)))
            }
            (Some(ended), Some(_)) => Some(self.close(self.after(ended, self.hold()))),
        }
    }

    /// When it is to be announced, if it is still there.
    fn due(&self) -> Option<Timestamp> {
        Some(self.after(self.alert.fired_at?, self.route?.terms.delay))
    }

    /// At a moment, or as soon after it as the address may be told of it.
    fn announce(&self, reason: Reason, due: Timestamp, batch: Duration) -> Option<Plan> {
        let times = &self.route?.times;
        let earliest = due.max(self.now);
        let allowed = times.first(earliest)?;
        let at = if allowed == earliest { due } else { allowed };
        let ready = times.first((due + batch).max(self.now))?;
        Some(Plan { reason, at, ready })
    }

    /// The end of what was announced, which is told at any time.
    fn close(&self, at: Timestamp) -> Plan {
        Plan {
            reason: Reason::Resolved,
            at,
            ready: at + self.batch,
        }
    }

    /// An incident that ended before its first message got through: told once, unless it was over within the delay,
    /// before it might have been told, or before anybody listened here.
    fn missed(&self, ended: Timestamp) -> Option<Plan> {
        let due = self.alert.fired_at? + self.route?.terms.delay;
        let announced = self.route?.times.first(due)?;
        let owed = announced <= ended && self.joined.is_some_and(|joined| joined <= ended);
        let end = self.after(ended, self.hold());
        owed.then(|| self.announce(Reason::Resolved, end, self.batch))?
    }

    /// A new incident of the same alert must not be told before the end of the old one.
    fn hold(&self) -> Duration {
        let hold = self.route.map(|route| route.terms.hold);
        if self.reopened {
            Duration::ZERO
        } else {
            hold.unwrap_or_default()
        }
    }

    fn after(&self, start: Timestamp, span: Duration) -> Timestamp {
        if start > self.now + AHEAD {
            Timestamp::default()
        } else {
            start + span
        }
    }
}
