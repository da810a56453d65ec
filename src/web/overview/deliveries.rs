//! Who has been told what of an incident, and what could not be told.

use crate::incident::{Book, Delivery};
use crate::sample::Timestamp;

/// The last word that one receiver had, or could not be given, of one incident.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Telling {
    /// The receiver's name, with the address where it has several.
    pub receiver: String,
    /// When.
    pub at: Timestamp,
    /// Whether it was told of the end.
    pub resolved: bool,
    /// Why it could not be told; empty when it was.
    pub error: String,
}

/// A message that was refused for good.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DeadLetter {
    /// Who did not get it.
    pub receiver: String,
    /// When it was given up.
    pub at: Timestamp,
    /// Its subject; may be empty.
    pub subject: String,
    /// The incidents it told of, by id, with their names where they are still known.
    pub incidents: Vec<(String, String)>,
    /// Why.
    pub error: String,
}

/// Everyone who has been told of an incident, in the order of the times.
pub(super) fn told(book: &Book, incident: &str) -> Vec<Telling> {
    let first = (incident.to_owned(), String::new());
    let entries = book.told.range(first..);
    let own = entries.take_while(|((id, _), _)| id == incident);
    let mut told: Vec<Telling> = own
        .map(|((_, receiver), told)| Telling {
            receiver: receiver.clone(),
            at: told.at,
            resolved: told.resolved,
            error: told.error.clone(),
        })
        .collect();
    told.sort_by_key(|telling| telling.at);
    told
}

/// The messages that were given up, newest first.
pub(super) fn dead_letters(book: &Book) -> Vec<DeadLetter> {
    let each = book.dead.iter().rev();
    each.map(|delivery| dead_letter(book, delivery)).collect()
}

fn dead_letter(book: &Book, delivery: &Delivery) -> DeadLetter {
    let named = |(id, _): &(String, bool)| {
        let alert = book.incident(id);
        let name = alert.map(|alert| alert.labels.get("alertname").to_owned());
        (id.clone(), name.unwrap_or_default())
    };
    DeadLetter {
        receiver: delivery.receiver.clone(),
        at: delivery.at,
        subject: delivery.subject.clone(),
        incidents: delivery.incidents.iter().map(named).collect(),
        error: delivery.error.clone(),
    }
}
