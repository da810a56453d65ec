//! A plan as text for a person: what runs, how often and where, and why the rest does not.

use super::{Plan, Run};
use crate::document::format_duration;
use crate::server::Lane;

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
                Lane::Held => "A (held)".into(),
                Lane::Visit => "B".into(),
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

#[cfg(test)]
mod tests {
    use super::super::{Settings, load, plan};
    use super::*;
    use crate::document::{Reader, parse};
    use crate::server::Facts;

    #[test]
    fn a_plan_is_a_table_of_what_runs_and_one_of_what_does_not() {
        let keep = ["locks", "tables", "wal", "checkpointer"];
        let collectors: Vec<_> = load(&[])
            .unwrap()
            .into_iter()
            .filter(|collector| keep.contains(&&*collector.name))
            .collect();
        let settings = Reader::new(None).read(&parse("x.yml", "").unwrap(), Settings::read);
        let databases = ["a", "b", "c", "d", "e"].map(String::from).to_vec();
        let facts = Facts {
            version: 150_018,
            user: "mon".into(),
            databases,
            ..Facts::default()
        };
        assert_eq!(
            explain(&plan(&collectors, &facts, &settings)),
            "\
collector  interval  timeout  connection  databases
locks      15s       5s       A (held)
tables     1m        5s       B           a, b, c and 2 more

not running   because
wal           without it the WAL directory may not be listed; mend with `GRANT pg_monitor TO mon`
checkpointer  needs PostgreSQL 17 or later; this is 15
"
        );
    }
}
