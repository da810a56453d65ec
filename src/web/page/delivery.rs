//! What pgvigil cannot read, and how telling people is going.

use maud::{Markup, html};

use super::{badge, class};
use crate::sample::Timestamp;
use crate::web::overview::{Address, Tone, Trouble};
use crate::web::words;

pub(super) fn troubles(troubles: &[Trouble], now: Timestamp) -> Markup {
    html! {
        @if !troubles.is_empty() {
            section id="troubles" {
                h2 { "Not read in full" }
                ul { @for trouble in troubles { li { (line(trouble, now)) } } }
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

pub(super) fn addresses(addresses: &[Address], log_written: bool, now: Timestamp) -> Markup {
    html! {
        section id="delivery" {
            h2 { "Who is told" }
            @if !log_written {
                p class="note" { "Incidents cannot be written to the disk: a restart would forget who was told." }
            }
            @if addresses.is_empty() { p class="quiet" { "Nobody: no receiver is configured." } }
            div class="cards" { @for address in addresses { (card(address, now)) } }
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
                @if address.failed > 0 { ", " (address.failed) " refused" }
                @if address.waiting > 0 { ", " (address.waiting) " waiting" }
                @if let Some(at) = address.last_success { ", last " (words::span(now.since(at))) " ago" }
            }
            @if !address.reason.is_empty() { p class="note" { (address.reason) } }
        }
    }
}
