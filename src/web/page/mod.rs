//! The status page as HTML: one file, no script, readable on a phone.
//! Takes an [`Overview`]; hands on markup.

mod alerts;
mod backups;
mod delivery;
mod servers;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::overview::{Overview, Tone};
use super::words;

pub(super) const STYLE: &str = include_str!("style.css");

/// How often a browser asks for the page again.
const REFRESH_SECONDS: u32 = 15;

/// The whole page.
pub fn page(overview: &Overview) -> Markup {
    let headline = &overview.headline;
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="refresh" content=(REFRESH_SECONDS);
                link rel="icon" href="/favicon.ico";
                title { (headline.text) " · pgvigil" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header class={ "banner " (class(headline.tone)) } {
                    h1 { (headline.text) }
                    @if !headline.more.is_empty() { p { (headline.more) } }
                }
                main {
                    (alerts::firing(&overview.firing, overview.now))
                    (alerts::pending(&overview.pending, overview.now))
                    (servers::servers(&overview.servers))
                    (backups::backups(&overview.backups))
                    (delivery::troubles(&overview.troubles, overview.now))
                    (delivery::addresses(&overview.addresses, overview.log_written, overview.now))
                }
                footer { (footer(overview)) }
            }
        }
    }
}

fn footer(overview: &Overview) -> Markup {
    let moment = overview.now.rfc3339();
    html! {
        p {
            "As of " time datetime=(moment) { (words::clock(overview.now)) " UTC" }
            ", drawn anew every " (REFRESH_SECONDS) " s"
        }
        p {
            "pgvigil " (overview.version) ", up for " (words::span(overview.running)) " · "
            a href="/metrics" { "metrics" } " · "
            a href="/-/healthy" { "healthy" } " · "
            a href="/-/ready" { "ready" }
        }
    }
}

/// The class that gives an element its colour.
fn class(tone: Tone) -> &'static str {
    match tone {
        Tone::Good => "good",
        Tone::Unknown => "unknown",
        Tone::Info => "info",
        Tone::Warning => "warning",
        Tone::Critical => "critical",
    }
}

/// A coloured word. The word itself says what the colour does, for those who do not see it.
fn badge(tone: Tone, word: &str) -> Markup {
    html! { span class={ "badge " (class(tone)) } { (word) } }
}

#[cfg(test)]
mod tests;
