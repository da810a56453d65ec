//! A value as a table: a column per label, and the value to the right.

use std::collections::BTreeSet;

use super::data::{Data, Labels, series};
use super::times::written;
use crate::sample::{NAME, Timestamp};

/// The value, each element on a line, in the order of the answer.
pub(super) fn text(data: &Data) -> String {
    match data {
        Data::Scalar((_, value)) | Data::Text((_, value)) => format!("{value}\n"),
        Data::Vector(elements) => vector(elements),
        Data::Matrix(all) => {
            let blocks = all.iter().map(|(labels, points)| {
                let lines = points.iter().map(|(at, value)| {
                    let at = written(Timestamp::from_seconds(*at));
                    format!("  {at}  {value}\n")
                });
                format!("{}\n{}", series(labels), lines.collect::<String>())
            });
            blocks.collect()
        }
    }
}

fn vector(elements: &[(Labels, (f64, String))]) -> String {
    let names: BTreeSet<&str> = elements
        .iter()
        .flat_map(|(labels, _)| labels.keys().map(String::as_str))
        .collect();
    let names = columns(names);
    if names.is_empty() {
        let values = elements.iter().map(|(_, (_, value))| format!("{value}\n"));
        return values.collect();
    }
    let titles = names.iter().copied().map(title).chain(["value"]);
    let mut rows: Vec<Vec<String>> = vec![titles.map(harmless).collect()];
    for (labels, (_, value)) in elements {
        let cells = names
            .iter()
            .map(|name| labels.get(*name).map_or("", String::as_str));
        rows.push(cells.chain([value.as_str()]).map(harmless).collect());
    }
    aligned(&rows)
}

/// A text without characters that a terminal obeys: whoever may create a table may give it any name.
pub(in crate::cli) fn harmless(text: &str) -> String {
    let each = text.chars().map(|c| match c.is_control() {
        true => c.escape_default().to_string(),
        false => c.to_string(),
    });
    each.collect()
}

/// The metric's name first.
fn columns(mut names: BTreeSet<&str>) -> Vec<&str> {
    let named = names.remove(NAME);
    named.then_some(NAME).into_iter().chain(names).collect()
}

fn title(name: &str) -> &str {
    if name == NAME { "metric" } else { name }
}

/// All to the left, but for the last column.
fn aligned(rows: &[Vec<String>]) -> String {
    let count = rows.first().map_or(0, Vec::len);
    let widest = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<usize> = (0..count)
        .map(|column| widest(column).unwrap_or(0))
        .collect();
    let mut text = String::new();
    for row in rows {
        for (cell, width) in row.iter().zip(&widths).take(count - 1) {
            text.push_str(&format!("{cell:<width$}  "));
        }
        text.push_str(&format!("{:>1$}\n", row[count - 1], widths[count - 1]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(data: &serde_json::Value) -> String {
        text(&Data::read(data).unwrap())
    }

    #[test]
    fn labels_stand_in_columns() {
        let data = serde_json::json!({"resultType": "vector", "result": [
            {"metric": {"__name__": "up", "job": "b", "instance": "one"}, "value": [1, "1"]},
            {"metric": {"__name__": "up", "job": "\u{1b}[1m"}, "value": [1, "12.5"]},
        ]});
        let expected = "metric  instance  job        value\nup      one       b              1\nup                \\u{1b}[1m   12.5\n";
        assert_eq!(shown(&data), expected);
    }

    #[test]
    fn a_number_a_text_and_a_range_are_shown_too() {
        let cases = [
            (r#"{"resultType": "scalar", "result": [1, "2"]}"#, "2\n"),
            (r#"{"resultType": "string", "result": [1, "x"]}"#, "x\n"),
            (r#"{"resultType": "vector", "result": []}"#, ""),
            (
                r#"{"resultType": "vector", "result": [{"metric": {}, "value": [1, "NaN"]}]}"#,
                "NaN\n",
            ),
        ];
        for (data, expected) in cases {
            assert_eq!(shown(&serde_json::from_str(data).unwrap()), expected);
        }
        let data = r#"{"resultType": "matrix", "result": [{"metric": {"a": "b"}, "values": [[60, "1"], [120, "2"]]}]}"#;
        let lines = shown(&serde_json::from_str(data).unwrap());
        assert!(
            lines.starts_with("{a=\"b\"}\n  1970-01-01 ") && lines.ends_with("  2\n"),
            "{lines}"
        );
    }

    #[test]
    fn what_cannot_be_shown_is_named() {
        let data = serde_json::json!({"resultType": "vector", "result": [{"metric": {}, "histogram": [1, {}]}]});
        let error = Data::read(&data).err().unwrap().to_string();
        assert!(error.contains("native histograms"), "{error}");
    }
}
