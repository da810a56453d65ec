//! The pages as HTML: one answer each, no script, readable on a phone.
//! Takes an [`Overview`] and its like; hands on markup.

mod advice;
mod alerts;
mod backups;
mod checklist;
mod delivery;
mod evidence;
mod graph;
mod history;
mod incident;
mod rules;
mod servers;
mod silences;
mod spark;
mod told;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::overview::{Edition, Overview, Tone};
use super::words;

pub use advice::advice;
pub use graph::graph;
pub use history::history;
pub use incident::{incident, unknown_incident};
pub use rules::rules;

const STYLE: &str = include_str!("style.css");

/// How often a browser asks for the status page again.
const REFRESH_SECONDS: u32 = 15;

/// The pages, as they are named at the top of each.
const PAGES: [(&str, &str); 5] = [
    ("/", "Status"),
    ("/incidents", "Incidents"),
    ("/rules", "Rules"),
    ("/advice", "Advice"),
    ("/#silences", "Silences"),
];

/// What all pages have in common.
struct Frame<'a> {
    /// Its own path, or that of the page it belongs to.
    path: &'a str,
    /// For the browser's tab.
    title: &'a str,
    /// The one sentence above everything.
    heading: &'a str,
    /// A second one; may be empty.
    more: &'a str,
    tone: Tone,
    /// Whether it is asked for again and again.
    refreshed: bool,
    edition: Edition,
}

/// The status page.
pub fn page(overview: &Overview) -> Markup {
    let (headline, now) = (&overview.headline, overview.edition.now);
    let frame = Frame {
        path: "/",
        title: &headline.text,
        heading: &headline.text,
        more: &headline.more,
        tone: headline.tone,
        refreshed: true,
        edition: overview.edition,
    };
    frame.around(&html! {
        (alerts::firing(&overview.firing, now))
        (alerts::pending(&overview.pending, now))
        (alerts::silenced(&overview.silenced, now))
        (servers::servers(overview))
        (backups::backups(&overview.backups, overview.edition.now))
        (checklist::checklist(&overview.account))
        (advice::brief(&overview.advice))
        (delivery::addresses(overview))
        (silences::silences(&overview.silences, now))
        (history::brief(&overview.ended, now))
        (rules::brief(&overview.rules))
        (delivery::troubles(overview))
    })
}

/// The head of every page; `style` and `more` are what a page adds to it.
pub(super) fn head(title: &str, style: &str, more: &Markup) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            (more)
            title { (title) " · pgvigil" }
            style { (PreEscaped(STYLE)) (PreEscaped(style)) }
        }
    }
}

impl Frame<'_> {
    fn around(&self, content: &Markup) -> Markup {
        PreEscaped(legible(&self.whole(content).into_string()))
    }

    fn whole(&self, content: &Markup) -> Markup {
        html! {
            (DOCTYPE)
            html lang="en" {
                (head(self.title, "", &html! {
                    @if self.refreshed { meta http-equiv="refresh" content=(REFRESH_SECONDS); }
                    link rel="icon" href="/favicon.ico";
                }))
                body {
                    a class="skip" href="#main" { "To the content" }
                    header class={ "banner " (class(self.tone)) } {
                        nav aria-label="Pages" {
                            @for (path, name) in PAGES {
                                a href=(path) aria-current=[(path == self.path).then_some("page")] { (name) }
                            }
                        }
                        h1 { (self.heading) }
                        @if !self.more.is_empty() { p { (self.more) } }
                    }
                    main id="main" { (content) }
                    footer { (self.footer()) }
                }
            }
        }
    }

    fn footer(&self) -> Markup {
        let edition = self.edition;
        html! {
            p {
                "As of " time datetime=(edition.now.rfc3339()) { (words::clock(edition.now)) " UTC" }
                @if self.refreshed { ", drawn anew every " (REFRESH_SECONDS) " s" }
            }
            p {
                "pgvigil " (edition.version) ", up for " (words::span(edition.running)) " · "
                a href="/metrics" { "metrics" } " · "
                a href="/-/healthy" { "healthy" } " · "
                a href="/-/ready" { "ready" }
            }
        }
    }
}

/// Without the characters that nobody sees and that make others read in another order than they stand: a name must not
/// look like another.
fn legible(page: &str) -> String {
    let turns = |c: char| matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
    let hidden = |c: char| turns(c) || c.is_control() && !['\n', '\t'].contains(&c);
    page.replace(hidden, "\u{fffd}")
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

/// What is wider than a phone scrolls by itself, by keyboard too.
fn scrolling(name: &str, content: &Markup) -> Markup {
    html! { div class="scroll" role="region" aria-label=(name) tabindex="0" { (content) } }
}

/// A text for people in which words between backticks are what a machine reads.
pub(super) fn prose(text: &str) -> Markup {
    html! {
        @for (place, part) in text.split('`').enumerate() {
            @if place % 2 == 0 { (part) } @else { code { (part) } }
        }
    }
}

/// A statement to copy.
fn statement(sql: &str) -> Markup {
    scrolling("statement", &html! { pre { code { (sql) } } })
}

#[cfg(test)]
mod tests;
