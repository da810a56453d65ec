//! What was found when an incident opened, as tables.

use maud::{Markup, html};

use super::scrolling;
use crate::incident::Evidence;
use crate::sample::Timestamp;
use crate::web::words;

pub(super) fn tables(evidence: &[Evidence], now: Timestamp) -> Markup {
    html! { @for found in evidence { (table(found, now)) } }
}

fn table(found: &Evidence, now: Timestamp) -> Markup {
    html! {
        details class="evidence" open {
            summary {
                strong { (found.title) } " "
                span class="quiet" { "on " (found.server) ", read " (words::moment(found.at, now)) " UTC" }
            }
            @if !found.error.is_empty() {
                p class="note" { "Could not be read: " (found.error) }
            } @else if found.rows.is_empty() {
                p class="quiet" { "There was none." }
            } @else {
                (scrolling(&found.title, &rows(found)))
            }
            @if found.more > 0 { p class="quiet" { "and " (found.more) " more" } }
        }
    }
}

/// A text that would become a tall and thin column on a phone, where the table can scroll instead.
fn long(cell: &str) -> Option<&'static str> {
    (cell.len() > 40).then_some("long")
}

fn rows(found: &Evidence) -> Markup {
    let numbers: Vec<bool> = (0..found.columns.len())
        .map(|column| {
            let mut cells = found.rows.iter().filter_map(|row| row.get(column));
            cells.all(|cell| cell.is_empty() || cell.parse::<f64>().is_ok())
        })
        .collect();
    let kind = |column: usize| {
        numbers
            .get(column)
            .is_some_and(|number| *number)
            .then_some("number")
    };
    html! {
        table {
            thead {
                tr {
                    @for (column, name) in found.columns.iter().enumerate() {
                        th scope="col" class=[kind(column)] { (name.replace('_', " ")) }
                    }
                }
            }
            tbody {
                @for row in &found.rows {
                    tr { @for (column, cell) in row.iter().enumerate() { td class=[kind(column).or(long(cell))] { (cell) } } }
                }
            }
        }
    }
}
