//! The watched servers, a card each.

use maud::{Markup, html};

use super::{badge, class};
use crate::web::overview::{Fact, Server, Standing};

/// From here on a limit is shown as nearly reached.
const TIGHT: f64 = 0.8;

pub(super) fn servers(servers: &[Server]) -> Markup {
    html! {
        section id="servers" {
            h2 { "Servers" }
            @if servers.is_empty() { p class="quiet" { "No server is configured." } }
            div class="cards" { @for server in servers { (card(server)) } }
        }
    }
}

fn card(server: &Server) -> Markup {
    let word = match server.standing {
        Standing::Up => "up",
        Standing::Down => "down",
        Standing::Unknown => "unknown",
    };
    let tone = server.standing.tone();
    html! {
        article class={ "card " (class(tone)) } {
            h3 { (server.name) " " (badge(tone, word)) }
            p class="quiet" {
                @if !server.version.is_empty() { "PostgreSQL " (server.version) }
                @if !server.version.is_empty() && !server.role.is_empty() { ", " }
                (server.role)
            }
            @if !server.reason.is_empty() { p class="note" { (server.reason) } }
            @if server.facts.iter().any(|fact| fact.text.is_some()) {
                dl { @for fact in &server.facts { (row(fact)) } }
            }
        }
    }
}

fn row(fact: &Fact) -> Markup {
    html! {
        div {
            dt { (fact.label) }
            @match &fact.text {
                Some(text) => dd { (text) },
                None => dd class="quiet" { "not known" },
            }
            @if let Some(used) = fact.used {
                meter min="0" max="1" high=(TIGHT) optimum="0" value=(format!("{used:.3}")) {
                    (format!("{:.0} %", used * 100.0))
                }
            }
        }
    }
}
