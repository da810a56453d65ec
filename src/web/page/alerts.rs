//! What is wrong, since when, and what to do.

use maud::{Markup, html};

use super::{badge, class, evidence, prose, told};
use crate::sample::Timestamp;
use crate::web::overview::{Notice, Tone};
use crate::web::words;

pub(super) fn firing(notices: &[Notice], now: Timestamp) -> Markup {
    html! {
        @if !notices.is_empty() {
            section id="alerts" {
                h2 { "Firing" }
                @for notice in notices { (card(notice, false, now)) }
            }
        }
    }
}

pub(super) fn pending(notices: &[Notice], now: Timestamp) -> Markup {
    html! {
        @if !notices.is_empty() {
            section id="pending" {
                h2 { "Pending" }
                p class="quiet" { "Not for long enough yet to tell anyone." }
                @for notice in notices { (card(notice, false, now)) }
            }
        }
    }
}

pub(super) fn silenced(notices: &[Notice], now: Timestamp) -> Markup {
    html! {
        @if !notices.is_empty() {
            section id="silenced" {
                h2 { "Silenced" }
                p class="quiet" { "Firing, but nobody is told while the silence holds." }
                @for notice in notices { (card(notice, false, now)) }
            }
        }
    }
}

/// An alert with all that is known of it; `whole` where its course stands beside it.
pub(super) fn card(notice: &Notice, whole: bool, now: Timestamp) -> Markup {
    html! {
        article class={ "alert " (class(notice.tone)) } {
            h3 { (severity(notice)) " " (title(notice)) }
            (since(notice, now))
            (standing(notice, now))
            @if !notice.description.is_empty() { p class="lines" { (prose(&notice.description)) } }
            @if !notice.hint.is_empty() { p class="todo" { strong { "What to do: " } (prose(&notice.hint)) } }
            @if let Some(runbook) = &notice.runbook {
                p { a href=(runbook) rel="noreferrer" { "Runbook" } }
            }
            (evidence::tables(&notice.evidence, now))
            @if !notice.incident.is_empty() { (told::line(notice, now)) }
            (labels(notice))
            (links(notice, whole))
        }
    }
}

pub(super) fn severity(notice: &Notice) -> Markup {
    match notice.severity.as_str() {
        "" => badge(notice.tone, "alert"),
        severity => badge(notice.tone, severity),
    }
}

/// What is wrong, as a link to all that is known of it.
pub(super) fn title(notice: &Notice) -> Markup {
    html! {
        @if notice.incident.is_empty() { (notice.summary) }
        @else { a href={ "/incident/" (notice.incident) } { (notice.summary) } }
    }
}

fn since(notice: &Notice, now: Timestamp) -> Markup {
    html! {
        p class="since" {
            @match (notice.incident.is_empty(), notice.ended) {
                (true, _) => {
                    "true for " strong { (words::span(notice.lasting)) }
                    ", since " (words::moment(notice.since, now)) " UTC"
                }
                (false, None) => {
                    "firing for " strong { (words::span(notice.lasting)) }
                    ", since " (words::moment(notice.since, now)) " UTC"
                }
                (false, Some(ended)) => {
                    "ended " (words::moment(ended, now)) " UTC after " strong { (words::span(notice.lasting)) }
                    ", fired " (words::moment(notice.since, now)) " UTC"
                }
            }
            " · value " strong { (notice.value) }
        }
    }
}

/// Who sees to it, who silenced it, and what makes it doubtful.
fn standing(notice: &Notice, now: Timestamp) -> Markup {
    html! {
        @if let Some(word) = &notice.acknowledged {
            p class="word" {
                (badge(Tone::Good, "acknowledged")) " by " strong { (word.by) } ", " (words::moment(word.at, now)) " UTC"
                @if !word.comment.is_empty() { ": " (word.comment) }
            }
        }
        @if let Some(silence) = &notice.silenced {
            p class="word" {
                (badge(Tone::Info, "silenced")) " by " strong { (silence.by) } " until "
                (words::moment(silence.until, now)) " UTC"
                @if !silence.comment.is_empty() { ": " (silence.comment) }
            }
        }
        @if let Some(stale) = notice.stale {
            p class="note" {
                "Stale for " (words::span(stale)) ": what it was read from does not answer, so it cannot be said whether this is over."
            }
        }
        @if notice.kept && notice.ended.is_none() {
            p class="note" { "The condition is over; it is kept for a while in case it returns." }
        }
    }
}

pub(super) fn labels(notice: &Notice) -> Markup {
    html! {
        p class="labels" {
            code { (notice.name) }
            @for (name, value) in &notice.labels { " " code { (name) "=" (value) } }
        }
    }
}

fn links(notice: &Notice, whole: bool) -> Markup {
    html! {
        @if !notice.incident.is_empty() && notice.ended.is_none() {
            p class="links" {
                a class="button" href={ "/silence?incident=" (notice.incident) } { "Acknowledge or silence" }
                @if !whole { " " a href={ "/incident/" (notice.incident) } { "The whole incident" } }
            }
        }
    }
}
