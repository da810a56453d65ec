//! The backup sources, a card each.

use maud::{Markup, html};

use super::{badge, class, prose};
use crate::sample::Timestamp;
use crate::web::overview::{Backup, Tone};
use crate::web::words;

/// How to begin.
const BEGIN: &str = "No backup is configured, so none is watched. To begin, tell where they should be: `backups: [{name: nightly, files: /backups/*.dump}]`";

pub(super) fn backups(backups: &[Backup], now: Timestamp) -> Markup {
    html! {
        section id="backups" {
            h2 { "Backups" }
            @if backups.is_empty() { p class="quiet" { (prose(BEGIN)) } }
            div class="cards" { @for backup in backups { (card(backup, now)) } }
        }
    }
}

fn card(backup: &Backup, now: Timestamp) -> Markup {
    let word = match backup.tone {
        Tone::Good => "good",
        Tone::Unknown => "not looked at yet",
        _ => "look at it",
    };
    // The problems tell of the newest of all, the numbers of the newest that is usable.
    let [newest, size_label, proof_label] = if backup.problems.is_empty() {
        ["newest", "size", "proof"]
    } else {
        ["newest good one", "its size", "its proof"]
    };
    let row = |label: &str, text: &str| html! { div { dt { (label) } dd { (text) } } };
    html! {
        article class={ "card " (class(backup.tone)) } {
            h3 { (backup.name) " " (badge(backup.tone, word)) }
            @for problem in &backup.problems { p class="note" { (problem) } }
            @for detail in &backup.details { p class="quiet" { (prose(detail)) } }
            dl {
                @if let Some(age) = backup.age { (row(newest, &format!("{} old", words::span(age)))) }
                @if !backup.kinds.is_empty() { (row("of each kind", &backup.kinds.join(", "))) }
                @if let Some(window) = backup.window { (row("can be restored", &reach(window, now))) }
                @if let Some(running) = backup.running { (row("being written for", &words::span(running))) }
                @if let Some(promised) = backup.promised { (row("promised every", &words::span(promised))) }
                @if !backup.size.is_empty() { (row(size_label, &size(backup))) }
                @if let Some(count) = backup.count { (row("kept", &count.to_string())) }
                @if let Some(full_in) = backup.full_in { (row("room lasts for", &words::span(full_in))) }
                @if backup.age.is_some() {
                    (row(proof_label, if backup.proof.is_empty() { "none yet" } else { backup.proof }))
                }
            }
        }
    }
}

fn reach((start, end): (Timestamp, Timestamp), now: Timestamp) -> String {
    let [start, end] = [start, end].map(|at| words::moment(at, now));
    if start == end {
        format!("{start} UTC")
    } else {
        format!("{start} to {end} UTC")
    }
}

fn size(backup: &Backup) -> String {
    if backup.typical_size.is_empty() {
        backup.size.clone()
    } else {
        format!("{}, usually {}", backup.size, backup.typical_size)
    }
}
