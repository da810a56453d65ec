//! What pgvigil cannot read, and how telling people is going.

use maud::{Markup, html};

use super::{badge, class};
use crate::sample::Timestamp;
use crate::web::overview::{Address, DeadLetter, Overview, Tone, Trouble};
use crate::web::words;

/// How many messages that were given up are shown.
const DEAD: usize = 10;

pub(super) fn troubles(overview: &Overview) -> Markup {
    let now = overview.edition.now;
    html! {
        @if !overview.troubles.is_empty() {
            section id="troubles" {
                h2 { "Not read in full" }
                ul { @for trouble in &overview.troubles { li { (line(trouble, now)) } } }
            }
        }
        @if !overview.damaged.is_empty() {
            section id="damaged" {
                h2 { "History that was lost" }
                p class="quiet" {
                    "At a start the snapshot of the history was damaged. It was set aside in the state directory and the history began anew; remove the file once it has been looked at."
                }
                ul { @for file in &overview.damaged { li { code { (file) } } } }
            }
        }
    }
}

fn line(trouble: &Trouble, now: Timestamp) -> Markup {
    html! {
        code { (trouble.source) } " "
        @if !trouble.reason.is_empty() { (trouble.reason) " " }
        @if trouble.dropped > 0 { (trouble.dropped) " series left out " }
        span class="quiet" {
            @match trouble.last_success {
                Some(at) => { "last read " (words::span(now.since(at))) " ago" }
                None => "never read",
            }
        }
    }
}

pub(super) fn addresses(overview: &Overview) -> Markup {
    let now = overview.edition.now;
    html! {
        section id="delivery" {
            h2 { "Who is told" }
            @if !overview.log_written {
                p class="note" { "Incidents cannot be written to the disk: a restart would forget who was told." }
            }
            @if overview.addresses.is_empty() { p class="quiet" { "Nobody: no receiver is configured." } }
            div class="cards" { @for address in &overview.addresses { (card(address, now)) } }
            (dead(&overview.dead, now))
        }
    }
}

fn card(address: &Address, now: Timestamp) -> Markup {
    let word = match address.tone {
        Tone::Good => "reached",
        Tone::Unknown if address.waiting > 0 => "being told",
        Tone::Unknown => "not needed yet",
        _ => "out of reach",
    };
    html! {
        article class={ "card " (class(address.tone)) } {
            h3 { (address.name) " " (badge(address.tone, word)) }
            p class="quiet" {
                (address.channel) ", " (address.delivered) " delivered"
                @if address.retried > 0 { ", " (address.retried) " tried again" }
                @if address.failed > 0 { ", " (address.failed) " refused" }
                @if address.waiting > 0 { ", " (address.waiting) " waiting" }
                @if let Some(at) = address.last_success { ", last " (words::span(now.since(at))) " ago" }
            }
            @if !address.reason.is_empty() { p class="note" { (address.reason) } }
        }
    }
}

fn dead(letters: &[DeadLetter], now: Timestamp) -> Markup {
    html! {
        @if !letters.is_empty() {
            h3 id="dead" { "Messages that were given up" }
            ul {
                @for letter in letters.iter().take(DEAD) { li { (given_up(letter, now)) } }
            }
            @if letters.len() > DEAD { p class="quiet" { "and " (letters.len() - DEAD) " more" } }
        }
    }
}

fn given_up(letter: &DeadLetter, now: Timestamp) -> Markup {
    html! {
        p {
            strong { (letter.receiver) } ", " (words::moment(letter.at, now)) " UTC"
            @if !letter.subject.is_empty() { ": " (letter.subject) }
        }
        p class="note critical" { (letter.error) }
        p class="quiet" {
            @for (place, (id, name)) in letter.incidents.iter().enumerate() {
                @if place > 0 { ", " }
                @if name.is_empty() { code { (id) } } @else { a href={ "/incident/" (id) } { (name) } }
            }
        }
    }
}
