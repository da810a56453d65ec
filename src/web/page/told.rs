//! Who has been told of an incident, in one line.

use maud::{Markup, html};

use crate::sample::Timestamp;
use crate::web::overview::{Notice, Telling};
use crate::web::words;

pub(super) fn line(notice: &Notice, now: Timestamp) -> Markup {
    let (told, untold): (Vec<&Telling>, Vec<&Telling>) =
        notice.told.iter().partition(|told| told.error.is_empty());
    html! {
        p class="quiet" {
            @if notice.told.is_empty() && notice.silenced.is_none() { "Nobody has been told yet." }
            @if !told.is_empty() {
                "Told: "
                @for (place, told) in told.iter().enumerate() {
                    @if place > 0 { ", " }
                    (told.receiver) " " (words::moment(told.at, now))
                    @if told.resolved { " (of the end)" }
                }
            }
        }
        @for lost in untold {
            p class="note" { "Could not be told: " (lost.receiver) ", " (words::moment(lost.at, now)) " UTC: " (lost.error) }
        }
    }
}
