//! One incident from its beginning on.

use maud::{Markup, html};

use super::{Frame, alerts, class};
use crate::web::overview::{Edition, Notice, Step, Story, Tone};
use crate::web::words;

/// The page of one incident.
pub fn incident(story: &Story) -> Markup {
    let notice = &story.notice;
    let more = match notice.ended {
        Some(_) => format!("ended after {}", words::span(notice.lasting)),
        None => format!("firing for {}", words::span(notice.lasting)),
    };
    let frame = Frame {
        path: "/incidents",
        title: &notice.name,
        heading: &heading(notice),
        more: &more,
        tone: match notice.ended {
            Some(_) => Tone::Good,
            None => notice.tone,
        },
        refreshed: false,
        edition: story.edition,
    };
    frame.around(&html! {
        section id="what" {
            h2 { "What it is about" }
            (alerts::card(notice, true, story.edition.now))
        }
        section id="course" {
            h2 { "Course" }
            p class="quiet" { "Of repeated messages the last to each receiver is kept. All times are UTC." }
            ol class="course" { @for step in &story.steps { (line(step)) } }
        }
        p class="quiet" { "Incident " code { (notice.incident) } }
    })
}

/// What is said of an incident that is not known.
pub fn unknown_incident(edition: Edition) -> Markup {
    let frame = Frame {
        path: "/incidents",
        title: "No such incident",
        heading: "No incident is known by this id",
        more: "It may have ended long ago: only the latest are kept.",
        tone: Tone::Unknown,
        refreshed: false,
        edition,
    };
    frame.around(&html! { p { a href="/incidents" { "All incidents that are known" } } })
}

fn heading(notice: &Notice) -> String {
    let labels = notice.labels.iter();
    let mut places = labels.filter(|(name, _)| ["server", "instance", "source"].contains(&&**name));
    match places.next() {
        Some((_, place)) => format!("{} on {place}", notice.name),
        None => notice.name.clone(),
    }
}

fn line(step: &Step) -> Markup {
    html! {
        li class=(class(step.tone)) {
            time datetime=(step.at.rfc3339()) { (words::clock(step.at)) }
            " " span {
                (step.text)
                @if !step.detail.is_empty() { ": " span class="quiet" { (step.detail) } }
            }
        }
    }
}
