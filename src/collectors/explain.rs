//! A plan as text for a person: what runs, how often, where and at what cost, and why the rest does not.

pub(super) mod columns;
mod cost;

use super::{Plan, Run};
use crate::document::format_duration;
use crate::server::Lane;

pub use cost::{Measured, explain_costs};

use columns::columns;

/// The plan as two tables, with nothing measured.
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
            connection(run),
            databases(run),
        ]
    }));
    columns(&runs) + &omitted(plan)
}

/// What does not run, after an empty line; nothing when all runs.
fn omitted(plan: &Plan) -> String {
    if plan.omitted.is_empty() {
        return String::new();
    }
    let mut rows = vec![["not running", "because"].map(String::from)];
    rows.extend(plan.omitted.iter().map(|omission| {
        [
            omission.collector.name.to_string(),
            omission.reason.to_string(),
        ]
    }));
    format!("\n{}", columns(&rows))
}

fn connection(run: &Run) -> String {
    match run.lane {
        Lane::Held => "A (held)".into(),
        Lane::Visit => "B".into(),
        Lane::Plain => "B (plain)".into(),
    }
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

#[cfg(test)]
mod tests;
