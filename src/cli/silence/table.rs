//! Silences as a table. Takes them as Alertmanager's API has them; hands on text.

use std::fmt::Write as _;

use serde_json::Value;

use crate::incident::{Matcher, Parts};

const TITLES: [&str; 6] = ["id", "state", "from", "until", "by", "what and why"];

/// A line for each, in their order.
pub(super) fn text(silences: &[Value]) -> String {
    if silences.is_empty() {
        return String::new();
    }
    let rows: Vec<[String; 6]> = std::iter::once(TITLES.map(str::to_owned))
        .chain(silences.iter().map(row))
        .collect();
    let widest = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<usize> = (0..TITLES.len() - 1)
        .map(|column| widest(column).unwrap_or(0))
        .collect();
    let mut text = String::new();
    for row in &rows {
        for (cell, width) in row.iter().zip(&widths) {
            let written = write!(text, "{cell:<width$}  ");
            debug_assert!(written.is_ok(), "writing into a string cannot fail");
        }
        text.push_str(&row[TITLES.len() - 1]);
        text.push('\n');
    }
    text
}

fn row(silence: &Value) -> [String; 6] {
    let matchers: Vec<Parts> =
        serde_json::from_value(silence["matchers"].clone()).unwrap_or_default();
    let matchers = matchers.into_iter().map(Matcher::try_from).flatten();
    let matchers: Vec<String> = matchers.map(|matcher| matcher.to_string()).collect();
    let of = |value: &Value| harmless(value.as_str().unwrap_or_default());
    let mut what = harmless(&matchers.join(", "));
    if let Some(comment) = silence["comment"].as_str().filter(|text| !text.is_empty()) {
        what.push_str(&format!(" ({})", harmless(comment)));
    }
    [
        of(&silence["id"]),
        of(&silence["status"]["state"]),
        moment(&of(&silence["startsAt"])),
        moment(&of(&silence["endsAt"])),
        of(&silence["createdBy"]),
        what,
    ]
}

/// To the second.
fn moment(text: &str) -> String {
    let whole = text.split('.').next().unwrap_or_default();
    format!("{whole}Z")
}

/// A text without characters that a terminal obeys.
fn harmless(text: &str) -> String {
    let each = text.chars().map(|c| match c.is_control() {
        true => c.escape_default().to_string(),
        false => c.to_string(),
    });
    each.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silence_is_a_line_that_no_terminal_obeys() {
        let silence = serde_json::json!({
            "id": "i1", "status": {"state": "active"}, "createdBy": "ann\u{1b}[1m", "comment": "disk\nswap",
            "startsAt": "2026-11-23T13:00:00.000Z", "endsAt": "2026-11-23T14:00:00.500Z",
            "matchers": [{"name": "a", "value": "b", "isRegex": true, "isEqual": false}],
        });
        let expected = "id  state   from                  until                 by            what and why\n\
                        i1  active  2026-11-23T13:00:00Z  2026-11-23T14:00:00Z  ann\\u{1b}[1m  a!~\"b\" (disk\\nswap)\n";
        assert_eq!(text(&[silence]), expected);
        assert_eq!(text(&[]), "");
    }
}
