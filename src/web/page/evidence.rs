//! What was found when an incident opened, as tables.

use maud::{Markup, html};

use super::scrolling;
use crate::incident::Evidence;
use crate::sample::Timestamp;
use crate::web::words;

/// More columns than this do not stand side by side on a phone: there each cell is shown with its name before it.
const MOST_BESIDE: usize = 4;

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

/// A long last column has a row of its own beneath the others, so that those fit on a phone.
fn rows(found: &Evidence) -> Markup {
    let (short, long) = (found.short_columns(), found.long_column());
    let numbers = |column: usize| {
        let mut cells = found.rows.iter().filter_map(|row| row.get(column));
        cells.all(|cell| cell.is_empty() || cell.parse::<f64>().is_ok())
    };
    let kinds: Vec<Option<&str>> = short
        .iter()
        .map(|column| numbers(*column).then_some("number"))
        .collect();
    let name = |column: &usize| found.columns[*column].replace('_', " ");
    let cell = |row: &[String], column: usize| row.get(column).cloned().unwrap_or_default();
    let beneath = |row| {
        let text = long.map(|column| cell(row, column));
        text.filter(|text| !text.is_empty())
    };
    html! {
        table class=[(short.len() > MOST_BESIDE).then_some("many")] {
            thead {
                tr {
                    @for (column, kind) in short.iter().zip(&kinds) {
                        th scope="col" class=[*kind] { (name(column)) }
                    }
                }
            }
            @for row in &found.rows {
                tbody {
                    tr {
                        @for (column, kind) in short.iter().zip(&kinds) {
                            td class=[*kind] data-name=(name(column)) { (indented(&cell(row, *column))) }
                        }
                    }
                    @if let Some(text) = beneath(row) {
                        tr { td class="beneath" colspan=(short.len().max(1)) { code { (text) } } }
                    }
                }
            }
        }
    }
}

/// Leading blanks, by which a tree is drawn, as ones that a browser keeps.
fn indented(text: &str) -> String {
    let rest = text.trim_start_matches(' ');
    "\u{a0}".repeat(2 * (text.len() - rest.len())) + rest
}
