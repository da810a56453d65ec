//! Incidents that ended, and all of them on a page of their own.

use maud::{Markup, html};

use super::{Frame, alerts, badge, class, told};
use crate::sample::Timestamp;
use crate::web::overview::{History, Notice, Tone};
use crate::web::words;

/// The page of all incidents.
pub fn history(history: &History) -> Markup {
    let (open, ended) = (history.open.len(), history.ended.len());
    let heading = match open {
        0 => "No incident is open".to_owned(),
        1 => "1 incident is open".to_owned(),
        open => format!("{open} incidents are open"),
    };
    let more = match ended {
        0 => "none has ended that is still known".to_owned(),
        1 => "1 that ended is known".to_owned(),
        ended => format!("{ended} that ended are known"),
    };
    let tones = history.open.iter().map(|notice| notice.tone);
    let frame = Frame {
        path: "/incidents",
        title: "Incidents",
        heading: &heading,
        more: &more,
        tone: tones.max().unwrap_or(Tone::Good),
        refreshed: false,
        edition: history.edition,
    };
    let now = history.edition.now;
    frame.around(&html! {
        @if !history.open.is_empty() {
            section id="open" { h2 { "Open" } (list(&history.open, now)) }
        }
        @if !history.ended.is_empty() {
            section id="ended" {
                h2 { "Ended" }
                p class="quiet" { "The latest, as many as the incident log keeps." }
                (list(&history.ended, now))
            }
        }
    })
}

/// The latest ones, for the status page.
pub(super) fn brief(ended: &[Notice], now: Timestamp) -> Markup {
    html! {
        section id="ended" {
            h2 { "Ended lately" }
            @if ended.is_empty() { p class="quiet" { "No incident that is still known." } }
            @else { (list(ended, now)) }
            p class="all" { a href="/incidents" { "All incidents" } }
        }
    }
}

fn list(notices: &[Notice], now: Timestamp) -> Markup {
    html! { ul class="incidents" { @for notice in notices { (item(notice, now)) } } }
}

fn item(notice: &Notice, now: Timestamp) -> Markup {
    let end = notice.ended.map(|ended| words::moment(ended, now));
    html! {
        li class=(class(notice.tone)) {
            p {
                (alerts::severity(notice)) " " strong { (alerts::title(notice)) }
                @if notice.acknowledged.is_some() { " " (badge(Tone::Good, "acknowledged")) }
                @if notice.silenced.is_some() { " " (badge(Tone::Info, "silenced")) }
            }
            p class="since" {
                (words::moment(notice.since, now))
                @match &end {
                    Some(end) => { " to " (end) " UTC, for " strong { (words::span(notice.lasting)) } }
                    None => { " UTC, firing for " strong { (words::span(notice.lasting)) } }
                }
            }
            (told::line(notice, now))
            (alerts::labels(notice))
        }
    }
}
