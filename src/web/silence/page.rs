//! The page as HTML: the incident, how it stands, and what can be done. No script, readable on a phone.

use jiff::tz::TimeZone;
use maud::{DOCTYPE, Markup, html};

use super::act::SPANS;
use super::words;
use crate::incident::{Acknowledgement, Silence};
use crate::rules::Alert;
use crate::sample::Timestamp;
use crate::web::page::{head, prose};

/// What the form adds to the style of the status page: large buttons, for a thumb.
const FORM: &str = include_str!("style.css");

/// What is on the page.
pub(super) struct Content<'c> {
    pub(super) incident: &'c str,
    pub(super) alert: &'c Alert,
    pub(super) acknowledged: Option<&'c Acknowledgement>,
    /// Those that hold of it, each with whether it may be ended here.
    pub(super) silences: Vec<(&'c Silence, bool)>,
    /// Who asks, where that is known.
    pub(super) name: Option<&'c str>,
    pub(super) said: Said,
    pub(super) now: Timestamp,
    /// That of the machine, for what tomorrow means.
    pub(super) zone: &'c TimeZone,
}

/// What came of the form.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// What was done.
    pub(super) done: String,
    /// What is to be known about it, or why nothing was done.
    pub(super) trouble: &'static str,
}

impl Said {
    /// Nothing was done.
    pub(super) fn trouble(trouble: &'static str) -> Said {
        Said {
            done: String::new(),
            trouble,
        }
    }
}

impl Content<'_> {
    /// The whole page.
    pub(super) fn page(&self) -> Markup {
        let (name, summary) = (self.alert.labels.get("alertname"), self.note("summary"));
        let title = if summary.is_empty() { name } else { summary };
        let tone = self.tone();
        whole(
            title,
            tone,
            &html! {
                @if !self.said.done.is_empty() { article class="good" role="status" { p { strong { (self.said.done) } } } }
                @if !self.said.trouble.is_empty() { article class="warning" role="alert" { p { (self.said.trouble) "." } } }
                (self.facts(tone))
                @for (silence, may_end) in &self.silences { (self.silence(silence, *may_end)) }
                (self.form())
            },
        )
    }

    fn facts(&self, tone: &str) -> Markup {
        let since = self.alert.fired_at.unwrap_or(self.alert.active_at);
        let shown = ["alertname", "severity"];
        html! {
            article class=(tone) {
                p class="since" {
                    @match self.alert.resolved_at {
                        Some(ended) => { "ended at " strong { (words::moment(ended, self.now)) " UTC" } }
                        None => { "firing for " strong { (words::span(self.now.since(since))) } }
                    }
                    ", since " (words::moment(since, self.now)) " UTC · value " strong { (words::number(self.alert.value)) }
                }
                @if !self.note("description").is_empty() { p { (prose(self.note("description"))) } }
                @if !self.note("hint").is_empty() { p { strong { "What to do: " } (prose(self.note("hint"))) } }
                @if let Some(word) = self.acknowledged {
                    p { strong { "Acknowledged by " (word.by) } " at " (words::moment(word.at, self.now)) " UTC"
                        @if !word.comment.is_empty() { ": " (word.comment) } }
                }
                p class="labels" {
                    code { (self.alert.labels.get("alertname")) }
                    @for (name, value) in self.alert.labels.iter() {
                        @if !shown.contains(&name) { " " code { (name) "=" (value) } }
                    }
                }
                p class="labels" { "Incident " code { (self.incident) } }
            }
        }
    }

    fn silence(&self, silence: &Silence, may_end: bool) -> Markup {
        html! {
            article class="info" {
                p { strong { "Silenced until " (words::moment(silence.ends_at, self.now)) " UTC" } " by " (silence.created_by)
                    @if !silence.comment.is_empty() { ": " (silence.comment) } }
                p class="labels" { @for matcher in &silence.matchers { code { (matcher) } " " } }
                @if may_end {
                    form method="post" {
                        input type="hidden" name="silence" value=(silence.id);
                        button name="action" value="end" { "End this silence now" }
                    }
                }
            }
        }
    }

    fn form(&self) -> Markup {
        html! {
            form method="post" {
                h2 { "What shall be done?" }
                @if self.name.is_none() {
                    label for="by" { "Your name" }
                    input id="by" name="by" maxlength="100" autocomplete="name";
                }
                label for="comment" { "Why" }
                input id="comment" name="comment" maxlength="1000";
                @if self.alert.resolved_at.is_none() && self.acknowledged.is_none() {
                    button name="action" value="acknowledge" {
                        "Acknowledge" br; span { "I look after it: it is not repeated, and its end will be told" }
                    }
                }
                p class="quiet" { "A silence keeps quiet what has exactly these labels. If it was told of, its end will be told as well." }
                @for (word, name, span) in SPANS {
                    button name="action" value=(word) {
                        "Silence " @if word != "tomorrow" { "for " } (name) br;
                        span { "until " (words::moment(span.end(self.now, self.zone), self.now)) " UTC" }
                    }
                }
            }
        }
    }

    fn note(&self, name: &str) -> &str {
        self.alert.annotations.get(name).map_or("", String::as_str)
    }

    fn tone(&self) -> &'static str {
        match (self.alert.resolved_at, self.alert.labels.get("severity")) {
            (Some(_), _) => "good",
            (None, "critical") => "critical",
            (None, "info") => "info",
            (None, _) => "warning",
        }
    }
}

/// A page that says why there is nothing to do.
pub(super) fn notice(title: &str, text: &str) -> Markup {
    whole(title, "unknown", &html! { p { (text) } })
}

fn whole(title: &str, tone: &str, main: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            (head(title, FORM, &html! {
                meta name="robots" content="noindex";
                link rel="icon" href="favicon.ico";
            }))
            body {
                header class={ "banner " (tone) } { h1 { (prose(title)) } }
                main { (main) }
                footer { p { a href="./" { "Status page" } } }
            }
        }
    }
}
