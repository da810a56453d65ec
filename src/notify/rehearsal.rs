//! What would be told, without telling: the decisions of the senders over channels that take everything at once. For the
//! replay, and for tests of the whole path on a virtual clock.

use std::collections::BTreeMap;

use super::due::{BATCH, Letter, Reader, Reason, due};
use super::policy::Policy;
use super::{Settings, everybody};
use crate::incident::{Book, Delivery, Event};
use crate::rules::Alert;
use crate::sample::Timestamp;

/// Everybody who would be told.
#[derive(Debug, Clone)]
pub struct Rehearsal {
    policy: Policy,
    addresses: Vec<Addressee>,
    pushes: Vec<String>,
}

#[derive(Debug, Clone)]
struct Addressee {
    key: String,
    receiver: String,
    threads: bool,
    most: usize,
}

/// A message that would go out.
#[derive(Debug, Clone, PartialEq)]
pub struct Rehearsed {
    /// The receiver; with `/` and the address where it has several.
    pub address: String,
    /// When.
    pub at: Timestamp,
    /// What it tells.
    pub lines: Vec<Line>,
    thread: String,
}

/// One incident in a message.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// The incident's id.
    pub incident: String,
    /// `opened`, `repeated` or `resolved`.
    pub reason: &'static str,
    /// The alert as it is then.
    pub alert: Alert,
}

impl Rehearsal {
    /// For the receivers and the policy of a configuration; where nobody is named, for one `anybody` who gets everything.
    pub fn of(settings: &Settings) -> Rehearsal {
        let (addresses, pushes) = everybody(settings);
        let addressee = |address: &super::Address| Addressee {
            key: address.key.clone(),
            receiver: address.receiver.clone(),
            threads: address.has_threads(),
            most: address.most(),
        };
        let mut addresses: Vec<Addressee> = addresses.iter().map(addressee).collect();
        if settings.receivers.is_empty() {
            addresses.push(Addressee {
                key: "anybody".into(),
                receiver: "anybody".into(),
                threads: false,
                most: usize::MAX,
            });
        }
        Rehearsal {
            policy: Policy::of(settings),
            addresses,
            pushes: pushes.into_iter().map(|push| push.key).collect(),
        }
    }

    /// Everybody who would be told, by address.
    pub fn addresses(&self) -> impl Iterator<Item = &str> {
        self.addresses.iter().map(|address| address.key.as_str())
    }

    /// The Alertmanagers, which are handed every alert and decide for themselves.
    pub fn pushes(&self) -> &[String] {
        &self.pushes
    }

    /// What the log notes when everybody begins to listen.
    pub fn joined(&self, at: Timestamp) -> Event {
        let names = self.addresses().map(str::to_owned).collect();
        Event::Receivers { at, names }
    }

    /// The next message to an address, if one is due now, and else when to look again, if nothing happens until then.
    pub fn due(
        &self,
        book: &Book,
        address: &str,
        now: Timestamp,
    ) -> (Option<Rehearsed>, Option<Timestamp>) {
        let known = self.addresses.iter().find(|known| known.key == address);
        let Some(known) = known else {
            return (None, None);
        };
        let reader = Reader {
            receiver: &known.receiver,
            address: &known.key,
            threads: known.threads,
            most: known.most,
            put_off: &BTreeMap::new(),
            awaited: &BTreeMap::new(),
        };
        let due = due(book, &self.policy, &reader, now, BATCH);
        let letter = due.letter.filter(|letter| !letter.items.is_empty());
        (
            letter.map(|letter| rehearsed(address, letter, now)),
            due.next,
        )
    }
}

fn rehearsed(address: &str, letter: Letter, at: Timestamp) -> Rehearsed {
    let lines: Vec<Line> = letter
        .items
        .into_iter()
        .map(|item| Line {
            incident: item.incident,
            reason: match item.reason {
                Reason::Opened => "opened",
                Reason::Repeated => "repeated",
                Reason::Resolved => "resolved",
            },
            alert: item.alert,
        })
        .collect();
    let first = lines.first().map(|line| line.incident.clone());
    let thread = match letter.thread.is_empty() {
        true => first.unwrap_or_default(),
        false => letter.thread,
    };
    Rehearsed {
        address: address.to_owned(),
        at,
        lines,
        thread,
    }
}

impl Rehearsed {
    /// What the log notes when it is taken at a moment.
    pub fn taken(&self, at: Timestamp) -> Event {
        let lines = self.lines.iter();
        Event::Delivered(Delivery {
            receiver: self.address.clone(),
            at,
            incidents: lines
                .map(|line| (line.incident.clone(), line.reason == "resolved"))
                .collect(),
            thread: self.thread.clone(),
            subject: self.thread.clone(),
            error: String::new(),
        })
    }
}
