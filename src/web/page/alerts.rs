//! What is wrong, since when, and what to do.

use maud::{Markup, html};

use super::{badge, class};
use crate::sample::Timestamp;
use crate::web::overview::Notice;
use crate::web::words;

pub(super) fn firing(notices: &[Notice], now: Timestamp) -> Markup {
    html! {
        @if !notices.is_empty() {
            section id="alerts" {
                h2 { "Firing" }
                @for notice in notices { (card(notice, "firing", now)) }
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
                @for notice in notices { (card(notice, "true", now)) }
            }
        }
    }
}

fn card(notice: &Notice, verb: &str, now: Timestamp) -> Markup {
    let severity = if notice.severity.is_empty() {
        "alert"
    } else {
        &notice.severity
    };
    html! {
        article class={ "alert " (class(notice.tone)) } {
            h3 { (badge(notice.tone, severity)) " " (notice.summary) }
            p class="since" {
                (verb) " for " strong { (words::span(notice.lasting)) }
                ", since " (words::moment(notice.since, now)) " UTC · value " strong { (notice.value) }
            }
            @if let Some(stale) = notice.stale {
                p class="note" {
                    "Stale for " (words::span(stale)) ": what it was read from does not answer, so it cannot be said whether this is over."
                }
            }
            @if notice.kept {
                p class="note" { "The condition is over; it is kept for a while in case it returns." }
            }
            @if !notice.description.is_empty() { p class="todo" { (notice.description) } }
            @if !notice.hint.is_empty() { p { strong { "What to do: " } (notice.hint) } }
            @if let Some(runbook) = &notice.runbook {
                p { a href=(runbook) rel="noreferrer" { "Runbook: " (runbook) } }
            }
            p class="labels" {
                code { (notice.name) }
                @for (name, value) in &notice.labels { " " code { (name) "=" (value) } }
            }
        }
    }
}
