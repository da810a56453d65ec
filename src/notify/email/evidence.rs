//! Evidence in a mail: as aligned text, and as a table that fits on a phone.

use maud::{Markup, html};

use crate::incident::Evidence;
use crate::notify::{table, words};

/// A heading, the rows, and how many more there are.
pub(super) fn text(evidence: &Evidence) -> String {
    let mut text = format!("\n{}\n", heading(evidence));
    let rows = table::rows(evidence);
    if !rows.is_empty() {
        text.push('\n');
    }
    for row in rows {
        for line in row.lines() {
            text.push_str(&format!("  {line}\n"));
        }
    }
    let remark = table::remark(evidence);
    if !remark.is_empty() {
        text.push_str(&format!("  {remark}\n"));
    }
    text
}

fn heading(evidence: &Evidence) -> String {
    let at = words::moment(evidence.at);
    format!("{} ({}, {at})", evidence.title, evidence.server)
}

/// A long last column has a row of its own, so that the others fit on a phone. Cells have no styles of their own, for
/// Gmail cuts off what is longer than 102 kB.
pub(super) fn page(evidence: &Evidence, link: &str) -> Markup {
    let (short, long) = (evidence.short_columns(), evidence.long_column());
    let remark = table::remark(evidence);
    let cell = |row: &[String], place: usize| row.get(place).cloned().unwrap_or_default();
    html! {
        p style="margin:10px 0 2px;font-weight:600;font-size:13px" { (heading(evidence)) }
        @if !evidence.rows.is_empty() {
            div style="overflow-x:auto" {
                table cellpadding="3" cellspacing="0" style="border-collapse:collapse;font:12px ui-monospace,Menlo,Consolas,monospace;text-align:left;white-space:pre-wrap;overflow-wrap:break-word;color:#1b1f24" {
                    tr align="left" style="color:#57606a" {
                        @for place in &short { td { (evidence.columns[*place].replace('_', " ")) } }
                    }
                    @for row in &evidence.rows {
                        tr valign="top" style="border-top:1px solid #d8dee4" {
                            @for place in &short { td { (indented(&cell(row, *place))) } }
                        }
                        @if let Some(long) = long.map(|place| cell(row, place)).filter(|text| !text.is_empty()) {
                            tr { td colspan=(short.len().max(1)) style="color:#57606a;word-break:break-word" { (long) } }
                        }
                    }
                }
            }
        }
        @if !remark.is_empty() {
            p style="margin:2px 0 6px;font-size:13px" {
                @if evidence.more > 0 && !link.is_empty() { a href=(link) { (remark) } } @else { (remark) }
            }
        }
    }
}

/// Leading blanks that no mail reader breaks or drops.
fn indented(text: &str) -> String {
    let rest = text.trim_start_matches(' ');
    "\u{a0}".repeat(text.len() - rest.len()) + rest
}
