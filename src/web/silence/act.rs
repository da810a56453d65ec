//! What the buttons of the page do: an incident and an action become an event. Pure.

use std::time::Duration;

use jiff::tz::TimeZone;

use super::words;
use crate::incident::{Acknowledgement, Book, Event, Matcher, Silence, SilenceState};
use crate::rules::Alert;
use crate::sample::Timestamp;
use crate::web::v2::expire;

/// The longest comment that is kept, in characters.
const MOST_TEXT: usize = 1_000;

/// The hour at which tomorrow begins for people.
const MORNING: i8 = 9;

/// For how long an incident can be silenced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Span {
    Hours(u32),
    Tomorrow,
}

/// What can be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    Silence(Span),
    /// The silence of this id ends.
    End(String),
    Acknowledge,
}

/// The spans on offer: the word in the form, and the one for a person.
pub(super) const SPANS: [(&str, &str, Span); 4] = [
    ("1h", "1 hour", Span::Hours(1)),
    ("4h", "4 hours", Span::Hours(4)),
    ("tomorrow", "until tomorrow", Span::Tomorrow),
    ("1w", "1 week", Span::Hours(7 * 24)),
];

/// Something to be done about an incident.
#[derive(Debug)]
pub(super) struct Order<'o> {
    pub(super) action: Action,
    pub(super) incident: &'o str,
    pub(super) alert: &'o Alert,
    pub(super) by: String,
    pub(super) comment: String,
    /// What a silence would be called.
    pub(super) id: String,
}

impl Action {
    /// From the form.
    pub(super) fn read(action: &str, silence: String) -> Option<Action> {
        match action {
            "acknowledge" => Some(Action::Acknowledge),
            "end" => Some(Action::End(silence)),
            span => {
                let offered = SPANS.iter().find(|(word, ..)| *word == span);
                offered.map(|(_, _, span)| Action::Silence(*span))
            }
        }
    }
}

impl Span {
    /// When it is over.
    pub(super) fn end(self, now: Timestamp, zone: &TimeZone) -> Timestamp {
        match self {
            Span::Hours(hours) => now + Duration::from_secs(3600 * u64::from(hours)),
            Span::Tomorrow => tomorrow(now, zone).unwrap_or(now + Duration::from_secs(24 * 3600)),
        }
    }
}

fn tomorrow(now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let now = jiff::Timestamp::from_millisecond(now.0).ok()?;
    let date = zone.to_datetime(now).date().tomorrow().ok()?;
    let morning = zone.to_timestamp(date.at(MORNING, 0, 0, 0)).ok()?;
    Some(Timestamp(morning.as_millisecond()))
}

impl Order<'_> {
    /// What happens; `None` when there is no such silence to end. Who is `narrow` ends only what they could have made.
    pub(super) fn event(
        self,
        book: &Book,
        narrow: bool,
        now: Timestamp,
        zone: &TimeZone,
    ) -> Option<Event> {
        Some(match &self.action {
            Action::Silence(span) => {
                let matchers = matchers(self.alert);
                // To press a button again is to choose another end.
                let mut held = holding(book, self.alert, true, now).into_iter();
                let held = held.find(|(_, is_theirs)| *is_theirs);
                let (id, starts_at) = held.map_or((self.id, now), |(silence, _)| {
                    (silence.id.clone(), silence.starts_at)
                });
                Event::Silenced(Silence {
                    id,
                    matchers,
                    starts_at,
                    ends_at: span.end(now, zone),
                    created_by: cut(&self.by),
                    comment: cut(&self.comment),
                    updated_at: now,
                })
            }
            Action::End(id) => {
                let mut theirs = holding(book, self.alert, narrow, now).into_iter();
                let (silence, _) =
                    theirs.find(|(silence, may_end)| silence.id == *id && *may_end)?;
                Event::Silenced(expire(silence, now)?)
            }
            Action::Acknowledge => Event::Acknowledged(Acknowledgement {
                incident: self.incident.to_owned(),
                at: now,
                by: cut(&self.by),
                comment: cut(&self.comment),
            }),
        })
    }
}

/// The silences that hold of an alert, each with whether it may be ended here.
pub(super) fn holding<'b>(
    book: &'b Book,
    alert: &Alert,
    narrow: bool,
    now: Timestamp,
) -> Vec<(&'b Silence, bool)> {
    let exact = matchers(alert);
    let silences = book.silences.values();
    let silences = silences.filter(|silence| silence.mutes(&alert.labels, now));
    silences
        .map(|silence| (silence, !narrow || silence.matchers == exact))
        .collect()
}

/// What was done, for a person.
pub(super) fn told(event: &Event, before: Option<&Acknowledgement>, now: Timestamp) -> String {
    match event {
        Event::Silenced(silence) if silence.state(now) == SilenceState::Active => {
            format!("Silenced until {} UTC", words::moment(silence.ends_at, now))
        }
        Event::Silenced(_) => "The silence has ended".into(),
        _ => {
            let before = before.map(|word| format!(". {}", instead(word, now)));
            let before = before.unwrap_or_default();
            format!("Acknowledged: it is not repeated, and its end will be told{before}")
        }
    }
}

/// Whose acknowledgement another one takes the place of.
pub(super) fn instead(before: &Acknowledgement, now: Timestamp) -> String {
    let Acknowledgement { by, comment, .. } = before;
    let at = words::moment(before.at, now);
    let why = match comment.as_str() {
        "" => String::new(),
        comment => format!(": {comment}"),
    };
    format!("Before, {by} had acknowledged it at {at} UTC{why}")
}

/// The only one there is.
///
/// # Errors
/// How many there are.
pub(super) fn only(ids: impl Iterator<Item = String>) -> Result<String, usize> {
    let mut ids: Vec<String> = ids.collect();
    match ids.len() {
        1 => Ok(ids.remove(0)),
        count => Err(count),
    }
}

/// As much of a text as is kept.
pub(super) fn cut(text: &str) -> String {
    text.trim().chars().take(MOST_TEXT).collect()
}

/// Exactly the labels of an alert.
fn matchers(alert: &Alert) -> Vec<Matcher> {
    let labels = alert.labels.iter();
    labels
        .map(|(name, value)| Matcher::equal(name, value))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tomorrow_begins_in_the_morning_of_the_zone() {
        // 23:00 on 23 November in UTC is midnight of the 24th an hour to the east.
        let now = Timestamp(1_795_474_800_000);
        let east = TimeZone::fixed(jiff::tz::offset(1));
        let cases = [
            (Span::Hours(4), &TimeZone::UTC, "2026-11-24T03:00:00.000Z"),
            (Span::Tomorrow, &TimeZone::UTC, "2026-11-24T09:00:00.000Z"),
            (Span::Tomorrow, &east, "2026-11-25T08:00:00.000Z"),
        ];
        for (span, zone, end) in cases {
            assert_eq!(span.end(now, zone).rfc3339(), end);
        }
    }

    #[test]
    fn who_had_acknowledged_before_is_not_passed_over() {
        let word = |by: &str, comment: &str| Acknowledgement {
            incident: "00ff-1".into(),
            at: Timestamp(1_795_438_800_000),
            by: by.into(),
            comment: comment.into(),
        };
        let (before, after) = (word("monica", "on it"), word("ross", ""));
        let now = after.at;
        let said = told(&Event::Acknowledged(after), Some(&before), now);
        let end = "told. Before, monica had acknowledged it at 13:00 UTC: on it";
        assert!(said.ends_with(end), "{said}");
    }

    #[test]
    fn a_form_has_the_words_of_the_page() {
        let read = |word: &str| Action::read(word, "id".into());
        assert_eq!(read("1w"), Some(Action::Silence(Span::Hours(168))));
        assert_eq!(read("end"), Some(Action::End("id".into())));
        assert_eq!(read("2h"), None);
        assert_eq!(read(""), None);
    }
}
