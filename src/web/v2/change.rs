//! Which silences hold once one is made, changed or ended (M13). Pure.

use axum::http::StatusCode;
use regex::Regex;

use super::filter::cause;
use super::posted::Wanted;
use crate::incident::{Book, Matcher, Parts, Silence, SilenceState};
use crate::sample::Timestamp;

/// Alertmanager's word for a silence that is not there.
pub(super) const NOT_FOUND: &str = "silence not found";

/// Why a silence is not taken, in Alertmanager's words.
#[derive(Debug, PartialEq)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) message: String,
}

fn refuse(message: impl Into<String>) -> Refusal {
    Refusal {
        status: StatusCode::BAD_REQUEST,
        message: message.into(),
    }
}

/// The silences as they are from now on, and the id of the one that was wanted. One that holds keeps its id when only its
/// end, its author or its comment is another; one that has not begun, also when it is to begin at another time. Any
/// other change ends it and makes a new one, called `fresh`.
pub(super) fn change(
    book: &Book,
    wanted: Wanted,
    fresh: String,
    now: Timestamp,
) -> Result<(Vec<Silence>, String), Refusal> {
    if wanted.starts_at >= wanted.ends_at {
        return Err(refuse(
            "Failed to create silence: start time must be before end time",
        ));
    }
    if wanted.ends_at < now {
        return Err(refuse(
            "Failed to create silence: end time can't be in the past",
        ));
    }
    let before = match wanted.id.as_str() {
        "" => None,
        id => Some(book.silences.get(id).ok_or_else(|| Refusal {
            status: StatusCode::NOT_FOUND,
            message: NOT_FOUND.into(),
        })?),
    };
    let mut silence = checked(wanted, now)?;
    if before.is_some_and(|before| becomes(before, &silence, now)) {
        let id = silence.id.clone();
        return Ok((vec![silence], id));
    }
    let ended = before.and_then(|before| expire(before, now));
    silence.id = fresh.clone();
    silence.starts_at = silence.starts_at.max(now);
    Ok((ended.into_iter().chain([silence]).collect(), fresh))
}

/// A silence as it is when it is ended now; `None` when it is over already.
pub(in crate::web) fn expire(silence: &Silence, now: Timestamp) -> Option<Silence> {
    let mut ended = Silence {
        ends_at: now,
        updated_at: now,
        ..silence.clone()
    };
    match silence.state(now) {
        SilenceState::Expired => return None,
        SilenceState::Pending => ended.starts_at = now,
        SilenceState::Active => {}
    }
    Some(ended)
}

/// Whether one silence may become another without being a new one. Its start is compared to the second.
fn becomes(before: &Silence, after: &Silence, now: Timestamp) -> bool {
    let seconds = |at: Timestamp| at.0.div_euclid(1000);
    before.matchers == after.matchers
        && match before.state(now) {
            SilenceState::Active => {
                seconds(before.starts_at) == seconds(after.starts_at) && after.ends_at >= now
            }
            SilenceState::Pending => after.starts_at >= now,
            SilenceState::Expired => false,
        }
}

fn checked(wanted: Wanted, now: Timestamp) -> Result<Silence, Refusal> {
    let invalid = |message: String| refuse(format!("silence invalid: {message}"));
    let mut matchers = Vec::new();
    for (place, parts) in wanted.matchers.iter().enumerate() {
        let matcher = checked_matcher(parts)
            .map_err(|said| invalid(format!("invalid label matcher {place}: {said}")))?;
        matchers.push(matcher);
    }
    if matchers.iter().all(accepts_nothing) {
        return Err(invalid(
            "at least one matcher must not match the empty string".into(),
        ));
    }
    Ok(Silence {
        id: wanted.id,
        matchers,
        starts_at: wanted.starts_at,
        ends_at: wanted.ends_at,
        created_by: wanted.created_by,
        comment: wanted.comment,
        updated_at: now,
    })
}

fn checked_matcher(parts: &Parts) -> Result<Matcher, String> {
    let Parts { name, value, .. } = parts;
    let mut letters = name.chars();
    let first = letters
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    if !first || !letters.all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err(format!("invalid label name {name:?}"));
    }
    if parts.is_regex
        && let Err(error) = Regex::new(value)
    {
        let cause = cause(&error);
        return Err(format!(
            "invalid regular expression {value:?}: error parsing regexp: {cause}: `{value}`"
        ));
    }
    Matcher::try_from(parts.clone())
}

/// Whether it is met by a label that is not there. Alertmanager asks this of no negative one.
fn accepts_nothing(matcher: &Matcher) -> bool {
    matcher.parts().is_equal && matcher.matches(&crate::sample::Labels::default())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::incident::Event;

    const NOW: Timestamp = Timestamp(1_795_438_800_500);

    fn at(seconds: i64) -> Timestamp {
        Timestamp(NOW.0 + seconds * 1000)
    }

    fn wanted(id: &str, value: &str, starts: i64, ends: i64) -> Wanted {
        Wanted {
            id: id.into(),
            matchers: vec![Matcher::equal("alertname", value).parts().clone()],
            starts_at: at(starts),
            ends_at: at(ends),
            created_by: "me".into(),
            comment: "c".into(),
        }
    }

    /// A book with one silence, called `old`.
    fn book(starts: i64, ends: i64) -> Book {
        let silence = checked(wanted("old", "A", starts, ends), at(-60)).unwrap();
        let mut book = Book::default();
        book.apply(&Event::Silenced(silence));
        book
    }

    /// The ids that are written, with the spans around now in which they hold, and the id that is answered.
    fn changed(book: &Book, wanted: Wanted) -> (Vec<(String, i64, i64)>, String) {
        let (silences, id) = change(book, wanted, "new".into(), NOW).unwrap();
        let around = |at: Timestamp| (at.0 - NOW.0) / 1000;
        let spans = silences.iter().map(|each| {
            (
                each.id.clone(),
                around(each.starts_at),
                around(each.ends_at),
            )
        });
        (spans.collect(), id)
    }

    #[test]
    fn a_change_keeps_the_id_only_where_m13_says_so() {
        let old = |starts, ends| ("old".to_owned(), starts, ends);
        let new = |starts, ends| ("new".to_owned(), starts, ends);
        let (active, pending, over) = (book(-60, 60), book(60, 120), book(-60, -30));
        let cases = [
            (
                "its end",
                &active,
                wanted("old", "A", -60, 600),
                vec![old(-60, 600)],
            ),
            (
                "its start",
                &active,
                wanted("old", "A", -30, 60),
                vec![old(-60, 0), new(0, 60)],
            ),
            (
                "its matchers",
                &active,
                wanted("old", "B", -60, 60),
                vec![old(-60, 0), new(0, 60)],
            ),
            (
                "one to come begins later",
                &pending,
                wanted("old", "A", 90, 120),
                vec![old(90, 120)],
            ),
            (
                "or at once",
                &pending,
                wanted("old", "A", -1, 120),
                vec![old(0, 0), new(0, 120)],
            ),
            (
                "one that is over",
                &over,
                wanted("old", "A", -60, 60),
                vec![new(0, 60)],
            ),
            (
                "a new one",
                &active,
                wanted("", "A", -9, 60),
                vec![new(0, 60)],
            ),
        ];
        for (what, book, wanted, expected) in cases {
            let id = expected.last().unwrap().0.clone();
            assert_eq!(changed(book, wanted), (expected, id), "{what}");
        }
    }

    #[test]
    fn what_cannot_be_says_why() {
        let book = book(-60, 60);
        let refused = |wanted| change(&book, wanted, "new".into(), NOW).unwrap_err();
        assert_eq!(
            refused(wanted("none", "A", 0, 60)).status,
            StatusCode::NOT_FOUND
        );
        let cases = [
            (
                wanted("", "A", 60, 0),
                "Failed to create silence: start time must be before end time",
            ),
            (
                wanted("", "A", -60, -1),
                "Failed to create silence: end time can't be in the past",
            ),
            (
                wanted("", "", 0, 60),
                "silence invalid: at least one matcher must not match the empty string",
            ),
        ];
        for (wanted, said) in cases {
            assert_eq!(refused(wanted), refuse(said));
        }
        let mut strange = wanted("", "A)(B", 0, 60);
        strange.matchers[0].is_regex = true;
        assert!(
            refused(strange)
                .message
                .contains("invalid regular expression")
        );
    }

    #[test]
    fn what_is_over_is_not_ended_again() {
        let book = book(-60, 60);
        let ended = expire(&book.silences["old"], NOW).unwrap();
        assert_eq!(ended.state(NOW), SilenceState::Expired);
        assert_eq!(expire(&ended, NOW + Duration::from_secs(1)), None);
    }
}
