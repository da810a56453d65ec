//! Silences that hold or will. To make or end one each incident has a page of its own.

use maud::{Markup, html};

use super::badge;
use crate::sample::Timestamp;
use crate::web::overview::{Quiet, Tone};
use crate::web::words;

pub(super) fn silences(silences: &[Quiet], now: Timestamp) -> Markup {
    html! {
        section id="silences" {
            h2 { "Silences" }
            @if silences.is_empty() { p class="quiet" { "None: everything that fires is told." } }
            @else { ul { @for silence in silences { (item(silence, now)) } } }
            p class="quiet" { "To make or end one: “Acknowledge or silence” beside an alert, or " code { "pgvigil silence" } " where pgvigil runs." }
        }
    }
}

fn item(silence: &Quiet, now: Timestamp) -> Markup {
    html! {
        li {
            p {
                @if silence.holds { (badge(Tone::Info, "holds")) } @else { (badge(Tone::Unknown, "to come")) }
                @for matcher in &silence.matchers { " " code { (matcher) } }
            }
            p class="since" {
                @if !silence.holds { "from " (words::moment(silence.from, now)) " UTC " }
                "until " strong { (words::moment(silence.until, now)) " UTC" }
                ", by " (silence.by)
                @if !silence.comment.is_empty() { ": " (silence.comment) }
            }
            @if silence.hides > 0 {
                p class="quiet" {
                    "Hides " (silence.hides) " firing " @if silence.hides == 1 { "alert" } @else { "alerts" } "."
                }
            }
        }
    }
}
