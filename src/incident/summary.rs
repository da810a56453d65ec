//! The way back from the book to the log: the fewest events that fold into it.

use std::collections::BTreeSet;

use super::{Book, Event};
use crate::rules::{Alert, AlertState, Change, Transition};
use crate::sample::Timestamp;

impl Book {
    /// The shortest list of events that folds into this book.
    pub fn events(&self) -> Vec<Event> {
        let joined: BTreeSet<Timestamp> = self.receivers.values().copied().collect();
        let receivers = joined.into_iter().map(|at| Event::Receivers {
            at,
            names: self.receivers_at(at),
        });
        let ended = self.ended.iter().map(|alert| Event::Ended {
            alert: alert.clone(),
            told: self.told_of(&alert.incident().unwrap_or_default()),
        });
        let alerts = self.alerts.values().map(|alert| {
            Event::Alert(Transition {
                change: change_into(alert),
                at: alert.last_seen,
                alert: alert.clone(),
            })
        });
        let open = self.firing().filter_map(Alert::incident);
        let told = open.flat_map(|id| {
            let told = self.told_of(&id);
            told.into_iter().map(move |(receiver, told)| Event::Told {
                incident: id.clone(),
                receiver,
                told,
            })
        });
        // Before any incident is known, so that they say nothing about who was told what.
        let dead = self.dead.iter().cloned().map(Event::Failed);
        let silences = self.silences.values().cloned().map(Event::Silenced);
        let acknowledged = self.acknowledged.values().cloned();
        let evidence = self
            .evidence
            .iter()
            .map(|(incident, found)| Event::Evidence {
                incident: incident.clone(),
                found: found.clone(),
            });
        dead.chain(silences)
            .chain(receivers)
            .chain(ended)
            .chain(alerts)
            .chain(told)
            .chain(acknowledged.map(Event::Acknowledged))
            .chain(evidence)
            .collect()
    }

    fn receivers_at(&self, at: Timestamp) -> Vec<String> {
        let joined = self.receivers.iter().filter(|(_, since)| **since <= at);
        joined.map(|(name, _)| name.clone()).collect()
    }
}

/// The change that puts an alert back as it stands; the end of an incident is an event of its own.
fn change_into(alert: &Alert) -> Change {
    match alert.state {
        AlertState::Pending => Change::Pending,
        AlertState::Firing => Change::Opened,
        AlertState::Resolved => Change::Changed,
    }
}
