//! What is watched, a card each: PostgreSQL servers, PgBouncers, the nodes of Patroni.

use maud::{Markup, html};

use super::{badge, class, spark};
use crate::web::overview::{Fact, Overview, Server, Standing};

/// From here on a limit is shown as nearly reached.
const TIGHT: f64 = 0.8;

pub(super) fn servers(overview: &Overview) -> Markup {
    html! {
        section id="servers" {
            h2 { "Servers" }
            @if overview.servers.is_empty() { p class="quiet" { "No server is configured." } }
            (cards(&overview.servers))
        }
        @if !overview.pgbouncers.is_empty() {
            section id="pgbouncers" { h2 { "PgBouncers" } (cards(&overview.pgbouncers)) }
        }
        @if !overview.patronis.is_empty() {
            section id="patroni" { h2 { "Patroni" } (cards(&overview.patronis)) }
        }
    }
}

fn cards(servers: &[Server]) -> Markup {
    html! { div class="cards" { @for server in servers { (card(server)) } } }
}

fn card(server: &Server) -> Markup {
    let word = match server.standing {
        Standing::Up => "up",
        Standing::Down => "down",
        Standing::Unknown => "unknown",
    };
    let tone = server.standing.tone();
    let known = |fact: &&Fact| fact.text.is_some() || fact.trend.is_some();
    html! {
        article class={ "card " (class(tone)) } {
            h3 { bdi { (server.name) } " " (badge(tone, word)) }
            p class="quiet" {
                @if !server.version.is_empty() { (server.product) " " (server.version) }
                @if !server.version.is_empty() && !server.role.is_empty() { ", " }
                (server.role)
            }
            @if !server.reason.is_empty() { p class="note" { (server.reason) } }
            @if server.facts.iter().any(|fact| known(&fact)) {
                dl { @for fact in &server.facts { (row(fact)) } }
            }
        }
    }
}

fn row(fact: &Fact) -> Markup {
    html! {
        div {
            dt { (fact.label) }
            dd class={ @if fact.text.is_none() { "quiet" } } {
                @if let Some(trend) = &fact.trend { (spark::spark(trend)) }
                span { (fact.text.as_deref().unwrap_or("not known")) }
            }
            @if let Some(used) = fact.used {
                dd class="gauge" {
                    meter min="0" max="1" high=(TIGHT) optimum="0" value=(format!("{used:.3}")) {
                        (format!("{:.0} %", used * 100.0))
                    }
                }
            }
        }
    }
}
