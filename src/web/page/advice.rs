//! What could be better, with what to run and why it may be wrong.

use maud::{Markup, html};

use super::{Frame, badge, class, prose, statement};
use crate::web::overview::{Advice, Finding, Tone, Topic};

/// The page of all advice.
pub fn advice(advice: &Advice) -> Markup {
    let count: usize = advice.topics.iter().map(Topic::count).sum();
    let heading = match count {
        0 => "Nothing to advise".to_owned(),
        1 => "1 thing could be better".to_owned(),
        count => format!("{count} things could be better"),
    };
    let frame = Frame {
        path: "/advice",
        title: "Advice",
        heading: &heading,
        more: "None of it is urgent unless it says so. pgvigil changes nothing by itself.",
        tone: advice
            .topics
            .iter()
            .map(Topic::tone)
            .max()
            .unwrap_or(Tone::Good),
        refreshed: false,
        edition: advice.edition,
    };
    frame.around(&html! {
        nav class="topics" aria-label="Topics" {
            @for topic in &advice.topics {
                a href={ "#" (topic.id) } { (topic.title) " " (badge(topic.tone(), &topic.count().to_string())) }
            }
        }
        @for topic in &advice.topics { (section(topic)) }
    })
}

/// By topic, for the status page.
pub(super) fn brief(topics: &[Topic]) -> Markup {
    html! {
        section id="advice" {
            h2 { "Advice" }
            @if topics.is_empty() { p class="quiet" { "Nothing that could be better has been found." } }
            p class="chips" {
                @for topic in topics {
                    a href={ "/advice#" (topic.id) } { (topic.title) " " (badge(topic.tone(), &topic.count().to_string())) }
                }
            }
            p class="all" { a href="/advice" { "All advice" } }
        }
    }
}

fn section(topic: &Topic) -> Markup {
    html! {
        section id=(topic.id) {
            h2 { (topic.title) " " (badge(topic.tone(), &topic.count().to_string())) }
            p { (topic.meaning) }
            @if topic.findings.is_empty() && topic.unknown.is_empty() { p class="quiet" { "None found." } }
            @for finding in &topic.findings { (card(finding)) }
            @if topic.more > 0 { p class="quiet" { "and " (topic.more) " more" } }
            @if !topic.calm.is_empty() { p class="quiet" { (topic.calm) } }
            p class="quiet" { strong { "Why this may be wrong: " } (topic.doubt) }
            @if !topic.unknown.is_empty() {
                p class="quiet" { strong { "Not known:" } }
                ul class="plain" { @for unknown in &topic.unknown { li { (prose(unknown)) } } }
            }
        }
    }
}

fn card(finding: &Finding) -> Markup {
    html! {
        article class={ "finding " (class(finding.tone)) } {
            h3 { (finding.name) }
            p { (finding.what) }
            p class="labels" {
                code { (finding.server) }
                @if !finding.database.is_empty() { " " code { "database " (finding.database) } }
            }
            @if !finding.statement.is_empty() { (statement(&finding.statement)) }
        }
    }
}
