//! What was found, as blocks: whole rows in columns, then how many more there are.

use serde_json::{Value, json};

use super::blocks::escape;
use crate::incident::Evidence;

/// So many queries' answers are shown.
const MOST: usize = 3;

/// Slack takes 3,000 characters in a section.
const ROOM: usize = 2_700;

/// A cell is not shown wider.
const WIDEST: usize = 60;

/// The blocks that show it.
pub(super) fn blocks(all: &[Evidence]) -> Vec<Value> {
    let shown = all.iter().filter(|found| !found.rows.is_empty());
    shown.take(MOST).map(block).collect()
}

fn block(found: &Evidence) -> Value {
    let widths = widths(found);
    let mut text = format!("*{}*\n```", escape(&found.title, 200));
    text.push_str(&line(&found.columns, &widths));
    let mut used = text.chars().count();
    let mut more = found.more + found.rows.len();
    for row in &found.rows {
        let line = line(row, &widths);
        used += line.chars().count() + 1;
        if used > ROOM {
            break;
        }
        text.push('\n');
        text.push_str(&line);
        more -= 1;
    }
    text.push_str("```");
    if more > 0 {
        text.push_str(&format!("\n… and {more} more"));
    }
    json!({"type": "section", "text": {"type": "mrkdwn", "text": text}})
}

fn widths(found: &Evidence) -> Vec<usize> {
    let rows = || std::iter::once(&found.columns).chain(&found.rows);
    let width = |place: usize| {
        let cells = rows().filter_map(|row| row.get(place));
        cells
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
            .min(WIDEST)
    };
    (0..found.columns.len()).map(width).collect()
}

/// Nothing in it can end the block of code.
fn line(cells: &[String], widths: &[usize]) -> String {
    let cells = cells.iter().zip(widths).map(|(cell, width)| {
        let plain = cell
            .replace(|c: char| c.is_control(), " ")
            .replace('`', "'");
        let shown: String = plain.chars().take(*width).collect();
        let padding = " ".repeat(width - shown.chars().count());
        format!("{}{padding}", escape(&shown, 6 * WIDEST))
    });
    let line: Vec<String> = cells.collect();
    line.join("  ").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Timestamp;

    fn found(rows: Vec<Vec<String>>) -> Evidence {
        Evidence {
            query: "sessions".into(),
            title: "Sessions".into(),
            server: "rachel".into(),
            at: Timestamp(0),
            columns: vec!["user".into(), "count".into()],
            rows,
            more: 2,
            error: String::new(),
        }
    }

    fn text(rows: Vec<Vec<String>>) -> String {
        let blocks = blocks(&[found(rows)]);
        blocks[0]["text"]["text"].as_str().unwrap().to_owned()
    }

    #[test]
    fn rows_stand_in_columns() {
        let rows = [["app", "81"], ["<`b`\n>", "7"]];
        let rows = rows.map(|row| row.map(str::to_owned).to_vec()).to_vec();
        let expected = "*Sessions*\n```user    count\napp     81\n&lt;'b' &gt;  7```\n… and 2 more";
        assert_eq!(text(rows), expected);
    }

    #[test]
    fn no_number_of_rows_is_too_many() {
        let said = text(vec![vec!["&".repeat(500), "x".into()]; 900]);
        assert!(said.chars().count() <= 3_000, "{}", said.chars().count());
        assert!(
            said.ends_with(" more") && said.contains("```\n… and 89"),
            "{said}"
        );
    }
}
