//! Incidents that were, and the course of a single one.

use super::alerts::{is_signal, notice};
use super::{Edition, Notice, Tone};
use crate::incident::{Book, SilenceState};
use crate::sample::Timestamp;

/// All incidents that are still known.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct History {
    /// When it was drawn up.
    pub edition: Edition,
    /// Those that are open, silenced or not, the latest first.
    pub open: Vec<Notice>,
    /// Those that ended, the latest end first.
    pub ended: Vec<Notice>,
}

/// One incident from its beginning on.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Story {
    /// When it was drawn up.
    pub edition: Edition,
    /// How it stands, or stood at its end.
    pub notice: Notice,
    /// What happened, in order.
    pub steps: Vec<Step>,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// When.
    pub at: Timestamp,
    /// How much it asks for attention.
    pub tone: Tone,
    /// What, in a few words.
    pub text: String,
    /// What there is to add; may be empty.
    pub detail: String,
}

/// Incidents that ended, the latest first.
pub(super) fn ended(book: &Book, now: Timestamp) -> Vec<Notice> {
    let alerts = book.ended.iter().filter(|alert| !is_signal(alert));
    let mut ended: Vec<Notice> = alerts.map(|alert| notice(alert, book, now)).collect();
    ended.sort_by_key(|notice| std::cmp::Reverse((notice.ended, notice.since)));
    ended
}

/// Incidents that are open, the latest first.
pub(super) fn open(book: &Book, now: Timestamp) -> Vec<Notice> {
    let alerts = book.firing().filter(|alert| !is_signal(alert));
    let mut open: Vec<Notice> = alerts.map(|alert| notice(alert, book, now)).collect();
    open.sort_by_key(|notice| std::cmp::Reverse(notice.since));
    open
}

/// The course of an incident; `None` where none is known by this id.
pub(super) fn story(book: &Book, id: &str, edition: Edition) -> Option<Story> {
    let alert = book.incident(id)?;
    let notice = notice(alert, book, edition.now);
    let mut steps = vec![step(
        alert.active_at,
        Tone::Info,
        "the condition began to hold",
    )];
    let fired = alert.fired_at.map(|at| (at, "it began to fire"));
    let marks = [
        (fired, notice.tone),
        (
            alert
                .changed_since
                .map(|at| (at, "what it says has changed")),
            Tone::Info,
        ),
        (
            alert
                .keep_firing_since
                .map(|at| (at, "the condition was over; it was kept firing for a while")),
            Tone::Info,
        ),
        (
            alert
                .stale_since
                .map(|at| (at, "nothing more is known of it: it stays open")),
            Tone::Unknown,
        ),
        (alert.resolved_at.map(|at| (at, "it ended")), Tone::Good),
    ];
    let marks = marks.into_iter();
    steps.extend(marks.filter_map(|(mark, tone)| mark.map(|(at, text)| step(at, tone, text))));
    steps.extend(evidence(&notice));
    steps.extend(deliveries(book, &notice));
    steps.extend(words(&notice));
    steps.extend(silences(book, &notice, edition.now));
    steps.sort_by_key(|step| step.at);
    Some(Story {
        edition,
        notice,
        steps,
    })
}

fn step(at: Timestamp, tone: Tone, text: impl Into<String>) -> Step {
    Step {
        at,
        tone,
        text: text.into(),
        detail: String::new(),
    }
}

fn evidence(notice: &Notice) -> impl Iterator<Item = Step> {
    let found = notice.evidence.iter();
    found.map(|found| Step {
        detail: found.error.clone(),
        ..match found.error.is_empty() {
            true => step(found.at, Tone::Info, format!("read: {}", found.title)),
            false => step(
                found.at,
                Tone::Warning,
                format!("could not be read: {}", found.title),
            ),
        }
    })
}

fn deliveries(book: &Book, notice: &Notice) -> Vec<Step> {
    let told = notice.told.iter().filter(|told| told.error.is_empty());
    let told = told.map(|told| {
        let of = if told.resolved { " of the end" } else { "" };
        step(
            told.at,
            Tone::Good,
            format!("{} was told{of}", told.receiver),
        )
    });
    let about = |(id, _): &(String, bool)| *id == notice.incident;
    let given_up = book.dead.iter();
    let given_up = given_up.filter(|letter| letter.incidents.iter().any(about));
    let given_up = given_up.map(|letter| Step {
        detail: letter.error.clone(),
        ..step(
            letter.at,
            Tone::Critical,
            format!("{} could not be told", letter.receiver),
        )
    });
    // What was given up long ago is no longer among the dead letters.
    let lost = notice.told.iter().filter(|told| !told.error.is_empty());
    let lost = lost.filter(|told| {
        let kept = |letter: &crate::incident::Delivery| {
            letter.receiver == told.receiver && letter.at == told.at
        };
        !book.dead.iter().any(kept)
    });
    let lost = lost.map(|told| Step {
        detail: told.error.clone(),
        ..step(
            told.at,
            Tone::Critical,
            format!("{} could not be told", told.receiver),
        )
    });
    told.chain(given_up).chain(lost).collect()
}

fn words(notice: &Notice) -> Option<Step> {
    notice.acknowledged.as_ref().map(|word| Step {
        detail: word.comment.clone(),
        ..step(word.at, Tone::Good, format!("acknowledged by {}", word.by))
    })
}

/// Silences over it whose beginning it has seen.
fn silences(book: &Book, notice: &Notice, now: Timestamp) -> Vec<Step> {
    let Some(alert) = book.incident(&notice.incident) else {
        return Vec::new();
    };
    let end = notice.ended.unwrap_or(now);
    let all = book.silences.values();
    let over = all.filter(|silence| {
        let begun = silence.state(now) != SilenceState::Pending;
        let met = silence.starts_at <= end && silence.ends_at > notice.since;
        let meant = silence.matchers.iter();
        begun && met && meant.clone().all(|matcher| matcher.matches(&alert.labels))
    });
    over.map(|silence| Step {
        detail: silence.comment.clone(),
        ..step(
            silence.starts_at.max(notice.since),
            Tone::Info,
            format!("silenced by {}", silence.created_by),
        )
    })
    .collect()
}
