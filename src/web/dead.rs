//! `/dead-letters`: the messages that were refused for good, the newest first, and what became of what was in them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::View;
use crate::incident::{Book, Delivery};
use crate::sample::Labels;

pub(super) async fn letters(State(view): State<Arc<View>>) -> Json<Value> {
    Json(view.ledger.read(all))
}

fn all(book: &Book) -> Value {
    let letters = book.dead.iter().rev();
    letters.map(|letter| one(book, letter)).collect()
}

fn one(book: &Book, letter: &Delivery) -> Value {
    let incidents = letter.incidents.iter().map(|(id, resolved)| {
        let told = book.told(id, &letter.receiver);
        let alert = book.incident(id);
        json!({
            "id": id,
            "labels": alert.map(|alert| labels(&alert.labels)).unwrap_or_default(),
            "state": if *resolved { "resolved" } else { "firing" },
            // Refused messages are offered again, so that a later one may have told of it.
            "told": told.is_some_and(|told| told.error.is_empty()),
        })
    });
    json!({
        "receiver": letter.receiver,
        "at": letter.at.rfc3339(),
        "error": letter.error,
        "incidents": incidents.collect::<Value>(),
    })
}

fn labels(labels: &Labels) -> Value {
    labels
        .iter()
        .map(|(name, value)| (name.to_owned(), Value::from(value)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::Event;
    use crate::sample::Timestamp;

    #[test]
    fn a_letter_names_what_was_in_it_as_far_as_that_is_known() {
        let mut book = Book::default();
        let delivery = Delivery {
            receiver: "oncall/a@example.com".into(),
            at: Timestamp(1_000),
            incidents: vec![("gone-1".into(), true)],
            thread: String::new(),
            subject: String::new(),
            error: "550 no such user".into(),
        };
        book.apply(&Event::Failed(delivery.clone()));
        book.apply(&Event::Failed(Delivery {
            at: Timestamp(2_000),
            ..delivery
        }));
        let all = all(&book);
        assert_eq!(all[0]["at"], "1970-01-01T00:00:02.000Z", "the newest first");
        let expected = json!({
            "receiver": "oncall/a@example.com",
            "at": "1970-01-01T00:00:01.000Z",
            "error": "550 no such user",
            "incidents": [{"id": "gone-1", "labels": {}, "state": "resolved", "told": false}],
        });
        assert_eq!(all[1], expected);
    }
}
