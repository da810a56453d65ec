//! What one address is to be told of one incident, and when. Pure.

use std::time::Duration;

use super::due::Reason;
use super::settings::Terms;
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
pub(super) struct Case<'a> {
    /// The alert as it is now.
    pub(super) alert: &'a Alert,
    /// What the address was told of it.
    pub(super) told: Option<&'a Told>,
    /// On which terms it is told; `None` when it is not, or not now.
    pub(super) terms: Option<Terms>,
    /// Whether somebody looks after it, so that it need not be repeated.
    pub(super) acknowledged: bool,
    /// Since when it is told anything.
    pub(super) joined: Option<Timestamp>,
    /// Whether the same alert fires again as another incident.
    pub(super) reopened: bool,
    /// The time.
    pub(super) now: Timestamp,
}

impl Case<'_> {
    /// What there is to tell, and from when on.
    pub(super) fn plan(&self) -> Option<(Reason, Timestamp)> {
        let refused = self.told.is_some_and(|told| !told.error.is_empty());
        match (self.alert.resolved_at, self.told) {
            (None, None) => self.open(),
            (None, Some(told)) if refused => {
                self.terms?;
                Some((Reason::Opened, self.after(told.at, AGAIN)))
            }
            (None, Some(_)) if self.acknowledged => None,
            (None, Some(told)) => Some((Reason::Repeated, self.after(told.at, self.terms?.repeat))),
            (Some(ended), None) => self.missed(ended),
            (Some(_), Some(told)) if told.resolved && !refused => None,
            (Some(ended), Some(told)) if refused => {
                let lost = told.resolved && self.now.since(ended) > GIVEN_UP;
                (!lost).then(|| (Reason::Resolved, self.after(told.at, AGAIN)))
            }
            (Some(ended), Some(_)) => Some((Reason::Resolved, self.after(ended, self.hold()))),
        }
    }

    fn open(&self) -> Option<(Reason, Timestamp)> {
        let at = self.after(self.alert.fired_at?, self.terms?.delay);
        Some((Reason::Opened, at))
    }

    /// An incident that ended before its first message got through: told once, unless it was over within the delay,
    /// or before anybody listened here.
    fn missed(&self, ended: Timestamp) -> Option<(Reason, Timestamp)> {
        let lasted = ended.since(self.alert.fired_at?);
        let owed = lasted >= self.terms?.delay && self.joined.is_some_and(|joined| joined <= ended);
        owed.then(|| (Reason::Resolved, self.after(ended, self.hold())))
    }

    /// A new incident of the same alert must not be told before the end of the old one.
    fn hold(&self) -> Duration {
        let hold = self.terms.map(|terms| terms.hold).unwrap_or_default();
        if self.reopened { Duration::ZERO } else { hold }
    }

    fn after(&self, start: Timestamp, span: Duration) -> Timestamp {
        if start > self.now + AHEAD {
            Timestamp::default()
        } else {
            start + span
        }
    }
}
