//! Evidence as lines of text that hold on a phone: short columns aligned, a long last one in a line of its own.

use super::words;
use crate::incident::Evidence;

/// A cell of a short column has no more characters than this.
const SHORT: usize = 24;

/// The longest line of a long text.
const LINE: usize = 160;

/// What stands between two columns.
const GAP: &str = "  ";

/// The rows, each as one or two lines, the columns' names first. Nothing when there are no rows.
pub(super) fn rows(evidence: &Evidence) -> Vec<String> {
    let (short, long) = (evidence.short_columns(), evidence.long_column());
    if evidence.rows.is_empty() {
        return Vec::new();
    }
    let name = |place: &usize| evidence.columns[*place].replace('_', " ");
    let heads: Vec<String> = short.iter().map(name).collect();
    let body: Vec<Vec<String>> = evidence
        .rows
        .iter()
        .map(|row| short.iter().map(|place| cell(row, *place)).collect())
        .collect();
    let widths: Vec<usize> = (0..short.len())
        .map(|column| {
            let lines = body.iter().chain([&heads]);
            let widths = lines.map(|line| line[column].chars().count());
            widths.max().unwrap_or_default()
        })
        .collect();
    let mut lines = vec![aligned(&heads, &widths)];
    for (row, cells) in evidence.rows.iter().zip(&body) {
        let mut line = aligned(cells, &widths);
        let text = long.and_then(|place| row.get(place));
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            line.push_str(&format!("\n    {}", words::cut(text, LINE)));
        }
        lines.push(line);
    }
    lines
}

fn cell(row: &[String], place: usize) -> String {
    words::cut(row.get(place).map_or("", String::as_str), SHORT)
}

fn aligned(cells: &[String], widths: &[usize]) -> String {
    let cells = cells.iter().zip(widths);
    let line: Vec<String> = cells
        .map(|(cell, width)| format!("{cell:width$}"))
        .collect();
    line.join(GAP).trim_end().to_owned()
}

/// What is said instead of rows, or beside them: why there are none, or how many more there are.
pub(super) fn remark(evidence: &Evidence) -> String {
    match (evidence.error.as_str(), evidence.rows.len(), evidence.more) {
        ("", 0, 0) => "none when it was looked for".into(),
        ("", _, 0) => String::new(),
        ("", _, more) => format!("and {more} more"),
        (error, ..) => format!("could not be read: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::trial;
    use crate::sample::Timestamp;

    #[test]
    fn long_texts_stand_beneath_their_row() {
        let lines = rows(&trial::evidence(Timestamp(0)));
        let expected = [
            "pid     user  for",
            "4242    app   00:05:10\n    UPDATE accounts SET balance = balance - $1 WHERE id = $2",
            "  4243  app   00:04:59",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn what_is_missing_is_said() {
        let mut evidence = trial::evidence(Timestamp(0));
        assert_eq!(remark(&evidence), "and 37 more");
        (evidence.rows, evidence.more) = (Vec::new(), 0);
        assert_eq!(remark(&evidence), "none when it was looked for");
        assert!(rows(&evidence).is_empty());
        evidence.error = "no answer within 2s".into();
        assert_eq!(remark(&evidence), "could not be read: no answer within 2s");
    }
}
