//! The last drill of each source, and the checklist: a line where all is ticked, and what to do where it is not.

use maud::{Markup, html};

use super::{badge, class, prose};
use crate::backup::{Account, Brief, Line, Outcome, Report, Standing};
use crate::sample::Timestamp;
use crate::web::overview::Tone;
use crate::web::words;

pub(super) fn checklist(account: &Account) -> Markup {
    if account.sources.is_empty() {
        return html! {};
    }
    html! {
        section id="drills" {
            h2 { "Restore drills" }
            ul { @for source in &account.sources { (drill(source, account.now)) } }
        }
        section id="checklist" {
            h2 { "Checklist" }
            @if let Some(complaint) = &account.complaint { p class="note" { (complaint) } }
            (lines(&account.checklist, account.now))
        }
    }
}

fn drill(source: &Brief, now: Timestamp) -> Markup {
    let name = &source.record.settings.name;
    let Some(report) = &source.drill else {
        return html! {
            li class=(class(Tone::Unknown)) {
                p { strong { (name) } " " (badge(Tone::Unknown, "never restored")) }
                p class="quiet" { (prose(&format!("Whether it can be restored is not known: `pgvigil backup drill {name}` tries it."))) }
            }
        };
    };
    let (tone, word) = outcome(report);
    html! {
        li class=(class(tone)) {
            p { strong { (name) } " " (badge(tone, word)) }
            p class="quiet" { (when(report.finished, now)) " · " (took(report)) " · " code { (report.backup) } }
            @if let Outcome::Failed(why) | Outcome::Impossible(why) = &report.outcome { p class="note" { (why) } }
        }
    }
}

fn outcome(report: &Report) -> (Tone, &'static str) {
    match report.outcome {
        Outcome::Restored => (Tone::Good, "restored"),
        Outcome::Failed(_) => (Tone::Critical, "failed"),
        Outcome::Impossible(_) => (Tone::Unknown, "could not be tried"),
    }
}

fn took(report: &Report) -> String {
    format!(
        "took {}",
        words::seconds(report.recovery_time().as_secs_f64())
    )
}

fn lines(lines: &[Line], now: Timestamp) -> Markup {
    let open: Vec<&Line> = lines
        .iter()
        .filter(|line| !line.is_ticked() && !line.is_optional)
        .collect();
    let ticked = lines.iter().filter(|line| line.is_ticked()).count();
    let summary = match open.len() {
        0 => format!("All is ticked: {ticked} lines"),
        _ if ticked == 1 => "1 line is ticked".to_owned(),
        _ => format!("{ticked} lines are ticked"),
    };
    let rest = lines
        .iter()
        .filter(|line| line.is_ticked() || line.is_optional);
    html! {
        @if !open.is_empty() { ul { @for line in &open { (unticked(line)) } } }
        details class="rule good" {
            summary { (summary) }
            ul { @for line in rest { @if line.is_ticked() { (self::ticked(line, now)) } @else { (unticked(line)) } } }
        }
    }
}

fn unticked(line: &Line) -> Markup {
    let tone = if line.is_optional {
        Tone::Unknown
    } else {
        Tone::Info
    };
    html! {
        li class=(class(tone)) {
            p { strong { (line.title) } " " (badge(tone, if line.is_optional { "optional" } else { "unticked" })) }
            p class="quiet" { (line.rhythm.title()) " · " code { (line.key) } }
            @for missing in &line.missing { p { (prose(missing)) } }
            @for evidence in &line.evidence { p class="quiet" { (prose(evidence)) } }
            p class="quiet" { strong { "What to do: " } (way(&line.way)) }
        }
    }
}

/// A command is shown as one.
fn way(way: &str) -> Markup {
    if way.starts_with("pgvigil ") {
        html! { code { (way) } }
    } else {
        prose(way)
    }
}

fn ticked(line: &Line, now: Timestamp) -> Markup {
    let tone = match line.standing {
        Standing::Proved => Tone::Good,
        _ => Tone::Info,
    };
    html! {
        li class=(class(tone)) {
            p { strong { (line.title) } " " (badge(tone, line.standing.word())) }
            p class="quiet" {
                (line.rhythm.title())
                @if let Some(at) = line.at { " · " (when(at, now)) }
                @if let Some(expires) = line.expires() { ", good until " (words::moment(expires, now)) }
                " · " code { (line.key) }
            }
            @for evidence in &line.evidence { p class="quiet" { (prose(evidence)) } }
        }
    }
}

fn when(at: Timestamp, now: Timestamp) -> Markup {
    html! { time datetime=(at.rfc3339()) { (words::moment(at, now)) } }
}

#[cfg(test)]
mod tests;
