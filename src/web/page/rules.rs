//! The rules, how they stand and how their evaluation goes.

use std::time::Duration;

use maud::{Markup, html};

use super::{Frame, alerts, badge, class, scrolling};
use crate::sample::Timestamp;
use crate::web::overview::{RuleGroup, RuleLine, Rules, RulesBrief, Tone};
use crate::web::words;

/// The page of all rules.
pub fn rules(rules: &Rules) -> Markup {
    let all = || rules.groups.iter().flat_map(|group| &group.rules);
    let count = |state: &str| all().filter(|rule| rule.state == state).count();
    let heading = match count("failing") {
        0 => format!("{} rules in {} groups", all().count(), rules.groups.len()),
        1 => "1 rule cannot be evaluated".to_owned(),
        failing => format!("{failing} rules cannot be evaluated"),
    };
    let states = [
        "firing",
        "pending",
        "not evaluated yet",
        "calm",
        "recording",
    ];
    let states = states.map(|state| (state, count(state)));
    let states = states.iter().filter(|(_, count)| *count > 0);
    let more: Vec<String> = states
        .map(|(state, count)| format!("{count} {state}"))
        .collect();
    let frame = Frame {
        path: "/rules",
        title: "Rules",
        heading: &heading,
        more: &more.join(", "),
        tone: all().map(|rule| rule.tone).max().unwrap_or(Tone::Unknown),
        refreshed: false,
        edition: rules.edition,
    };
    let now = rules.edition.now;
    frame.around(&html! { @for group in &rules.groups { (section(group, now)) } })
}

/// In short, for the status page.
pub(super) fn brief(brief: &RulesBrief) -> Markup {
    html! {
        section id="rules" {
            h2 { "Rules" }
            @if brief.failing.is_empty() {
                p class="quiet" {
                    (brief.rules) " rules in " (brief.groups) " groups, none with an error at its last evaluation."
                }
            } @else {
                ul {
                    @for (name, error) in &brief.failing {
                        li { p { (badge(Tone::Critical, "failing")) " " strong { (name) } } p class="note critical" { (error) } }
                    }
                }
            }
            p class="all" { a href="/rules" { "All rules" } }
        }
    }
}

fn section(group: &RuleGroup, now: Timestamp) -> Markup {
    html! {
        section {
            h2 { (group.name) " " span class="quiet" { "in " (group.file) } }
            p class="quiet" {
                "every " (words::span(group.interval))
                @match group.last {
                    Some(at) => { ", last at " (words::clock(at)) " UTC, which took " (short(group.took)) }
                    None => ", not evaluated yet",
                }
                @if group.missed > 0 { ", " (group.missed) " evaluations missed" }
            }
            @for rule in &group.rules { (line(rule, now)) }
        }
    }
}

fn line(rule: &RuleLine, now: Timestamp) -> Markup {
    let open = rule.tone >= Tone::Info;
    html! {
        details class={ "rule " (class(rule.tone)) } open[open] {
            summary {
                (badge(rule.tone, rule.state)) " " strong { (rule.name) } " "
                span class="quiet" { (rule.severity) }
            }
            @if !rule.error.is_empty() { p class="note critical" { (rule.error) } }
            (scrolling("expression", &html! { pre { code { (rule.expression) } } }))
            p class="quiet" {
                @if !rule.records {
                    @if rule.hold.is_zero() { "fires at once" } @else { "fires after " (words::span(rule.hold)) }
                    " · "
                }
                @match rule.last {
                    Some(at) => { "evaluated " (words::clock(at)) " UTC in " (short(rule.took)) }
                    None => "not evaluated yet",
                }
            }
            @if !rule.alerts.is_empty() {
                ul {
                    @for alert in &rule.alerts {
                        li class=(class(alert.tone)) {
                            p { (alerts::severity(alert)) " " (alerts::title(alert)) }
                            p class="since" {
                                @if alert.incident.is_empty() { "pending" } @else { "firing" }
                                " for " (words::span(alert.lasting)) ", since " (words::moment(alert.since, now)) " UTC · value " (alert.value)
                            }
                            (alerts::labels(alert))
                        }
                    }
                }
            }
        }
    }
}

/// What an evaluation takes is mostly less than a second.
fn short(span: Duration) -> String {
    match span.as_secs() {
        0 => format!("{:.1} ms", span.as_secs_f64() * 1e3),
        _ => words::span(span),
    }
}
