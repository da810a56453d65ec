//! The way back from the book to the log: the fewest events that fold into it.

use std::collections::BTreeSet;

use super::{Book, Delivery, Event, Told};
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
            told.into_iter()
                .map(move |(receiver, told)| told.event(&id, receiver))
        });
        receivers.chain(ended).chain(alerts).chain(told).collect()
    }

    fn receivers_at(&self, at: Timestamp) -> Vec<String> {
        let joined = self.receivers.iter().filter(|(_, since)| **since <= at);
        joined.map(|(name, _)| name.clone()).collect()
    }
}

impl Told {
    fn event(self, incident: &str, receiver: String) -> Event {
        let failed = !self.error.is_empty();
        let delivery = Delivery {
            receiver,
            at: self.at,
            incidents: vec![(incident.to_owned(), self.resolved)],
            thread: self.thread,
            subject: self.subject,
            error: self.error,
        };
        if failed {
            Event::Failed(delivery)
        } else {
            Event::Delivered(delivery)
        }
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
