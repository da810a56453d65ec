//! Silences that hold or will.

use crate::incident::{Book, Silence, SilenceState};
use crate::sample::Timestamp;

/// What is not told for a while.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Quiet {
    /// The silence's id.
    pub id: String,
    /// What an alert must be like, as Alertmanager writes it.
    pub matchers: Vec<String>,
    /// Who wanted it.
    pub by: String,
    /// Why; may be empty.
    pub comment: String,
    /// From when on.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// Whether it holds already.
    pub holds: bool,
    /// How many firing alerts it keeps from being told of.
    pub hides: usize,
}

/// Those that hold, then those that will, each in the order of their ends.
pub(super) fn silences(book: &Book, now: Timestamp) -> Vec<Quiet> {
    let lasting = book.silences.values();
    let lasting = lasting.filter(|silence| silence.state(now) != SilenceState::Expired);
    let mut all: Vec<Quiet> = lasting.map(|silence| quiet(silence, book, now)).collect();
    all.sort_by_key(|quiet| (!quiet.holds, quiet.until));
    all
}

fn quiet(silence: &Silence, book: &Book, now: Timestamp) -> Quiet {
    let hidden = book.firing();
    let hidden = hidden.filter(|alert| silence.mutes(&alert.labels, now));
    Quiet {
        hides: hidden.count(),
        holds: silence.state(now) == SilenceState::Active,
        ..Quiet::of(silence)
    }
}

impl Quiet {
    pub(super) fn of(silence: &Silence) -> Self {
        let matchers = silence.matchers.iter();
        Quiet {
            id: silence.id.clone(),
            matchers: matchers.map(ToString::to_string).collect(),
            by: silence.created_by.clone(),
            comment: silence.comment.clone(),
            from: silence.starts_at,
            until: silence.ends_at,
            holds: false,
            hides: 0,
        }
    }
}
