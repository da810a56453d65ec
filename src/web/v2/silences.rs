//! `silences` and `silence/{id}`: those that hold first, then those to come, then those that are over.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::View;
use super::query::Query;
use super::reply::Reply;
use crate::incident::{Silence, SilenceState};
use crate::sample::Timestamp;

/// `silences`
pub(super) fn list(view: &View, query: &Query, now: Timestamp) -> Result<Reply, Reply> {
    let matchers = query.matchers()?;
    // What is asked for must be among what they match, to the letter.
    let is_wanted = |silence: &&Silence| {
        let own = &silence.matchers;
        matchers.iter().all(|matcher| own.contains(matcher))
    };
    let silences = view.ledger.read(|book| {
        let mut found: Vec<&Silence> = book.silences.values().filter(is_wanted).collect();
        found.sort_by_key(|silence| rank(silence, now));
        found
            .into_iter()
            .map(|silence| written(silence, now))
            .collect()
    });
    Ok(Reply::Data(silences))
}

/// `silence/{id}`
pub(super) fn one(view: &View, id: &str, now: Timestamp) -> Result<Reply, Reply> {
    is_id(id)?;
    view.ledger.read(|book| match book.silences.get(id) {
        Some(silence) => Ok(Reply::Data(written(silence, now))),
        None => Ok(Reply::Empty(StatusCode::NOT_FOUND)),
    })
}

/// Whether it may be the id of one.
///
/// # Errors
/// The refusal in Alertmanager's words.
pub(super) fn is_id(id: &str) -> Result<(), Reply> {
    let shape = [8, 13, 18, 23];
    let is_hex = |(place, c): (usize, char)| match shape.contains(&place) {
        true => c == '-',
        false => c.is_ascii_hexdigit(),
    };
    if id.len() == 36 && id.chars().enumerate().all(is_hex) {
        return Ok(());
    }
    Err(Reply::Fault(
        StatusCode::UNPROCESSABLE_ENTITY,
        601,
        format!("silenceID in path must be of type uuid: {id:?}"),
    ))
}

/// The soonest to end, to begin, or the last to have ended comes first.
fn rank(silence: &Silence, now: Timestamp) -> (u8, i64) {
    match silence.state(now) {
        SilenceState::Active => (0, silence.ends_at.0),
        SilenceState::Pending => (1, silence.starts_at.0),
        SilenceState::Expired => (2, -silence.ends_at.0),
    }
}

fn written(silence: &Silence, now: Timestamp) -> Value {
    let matchers = silence.matchers.iter().map(|matcher| {
        let parts = matcher.parts();
        json!({
            "isEqual": parts.is_equal,
            "isRegex": parts.is_regex,
            "name": parts.name,
            "value": parts.value,
        })
    });
    json!({
        "id": silence.id,
        "status": {"state": silence.state(now)},
        "updatedAt": silence.updated_at.rfc3339(),
        "comment": silence.comment,
        "createdBy": silence.created_by,
        "endsAt": silence.ends_at.rfc3339(),
        "matchers": matchers.collect::<Value>(),
        "startsAt": silence.starts_at.rfc3339(),
    })
}
