//! A plan as text for a person: what runs, how often and where, and why the rest does not.

use super::{Lane, Plan, Run};
use crate::document::format_duration;

/// The plan as two tables.
pub fn explain(plan: &Plan) -> String {
    let mut runs = vec![
        [
            "collector",
            "interval",
            "timeout",
            "connection",
            "databases",
        ]
        .map(String::from),
    ];
    runs.extend(plan.runs.iter().map(|run| {
        [
            run.collector.name.to_string(),
            format_duration(run.interval),
            format_duration(run.timeout),
            match run.lane {
                Lane::Quick => "A (held)".into(),
                Lane::Slow => "B".into(),
            },
            databases(run),
        ]
    }));
    let mut text = columns(&runs);
    if !plan.omitted.is_empty() {
        let mut omitted = vec![["not running", "because"].map(String::from)];
        omitted.extend(plan.omitted.iter().map(|omission| {
            [
                omission.collector.name.to_string(),
                omission.reason.to_string(),
            ]
        }));
        text.push('\n');
        text.push_str(&columns(&omitted));
    }
    text
}

fn databases(run: &Run) -> String {
    const NAMED: usize = 3;
    let named: Vec<&str> = run
        .databases
        .iter()
        .take(NAMED)
        .map(String::as_str)
        .collect();
    match run.databases.len().saturating_sub(NAMED) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

/// Rows of cells, each column as wide as its widest cell; no blanks at the end of a line.
fn columns<const N: usize>(rows: &[[String; N]]) -> String {
    let widths: [usize; N] = std::array::from_fn(|column| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or_default()
    });
    let mut text = String::new();
    for row in rows {
        let cells: Vec<String> = row
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}
