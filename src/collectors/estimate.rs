//! What PostgreSQL expects a statement to cost, from the answer to EXPLAIN.

use super::Flaw;
use crate::server::Table;

/// Above this a statement is too dear to be run again and again: about a gigabyte read from one end to the other.
const DEAR: f64 = 150_000.0;

/// A sequential scan that costs more reads a table of about a hundred megabytes.
const LONG_SCAN: f64 = 15_000.0;

/// The planner's estimate.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// The topmost step, without its numbers.
    pub top: String,
    /// Its total cost, in the planner's unit.
    pub cost: f64,
    /// Tables that are read from one end to the other, with the cost of that.
    scans: Vec<(String, f64)>,
}

impl Estimate {
    /// The statement that asks for it.
    pub fn question(sql: &str) -> String {
        format!("EXPLAIN {sql}")
    }

    /// Reads the answer; `None` when it is no plan.
    pub fn read(plan: &Table) -> Option<Self> {
        let mut steps = plan.rows().filter_map(|row| step(row.cell(0)?));
        let (top, cost) = steps.next()?;
        let scan = |(what, cost): &(String, f64)| {
            let (_, relation) = what.split_once("Seq Scan on ")?;
            Some((relation.split(' ').next()?.to_owned(), *cost))
        };
        let first = (top.clone(), cost);
        let scans = std::iter::once(first).chain(steps);
        Some(Estimate {
            scans: scans.filter_map(|step| scan(&step)).collect(),
            top,
            cost,
        })
    }

    /// What makes it too dear to be run every few seconds.
    pub fn flaws(&self) -> Vec<Flaw> {
        let long = self.scans.iter().filter(|(_, cost)| *cost > LONG_SCAN);
        let mut flaws: Vec<Flaw> = long
            .map(|(relation, cost)| {
                Flaw::light(format!(
                    "reads table `{relation}` from one end to the other, at a planned cost of {cost:.0}\nhint: an index \
                     for its condition, or a longer `interval`"
                ))
            })
            .collect();
        if flaws.is_empty() && self.cost > DEAR {
            flaws.push(Flaw::light(format!(
                "has a planned cost of {:.0}\nhint: look at it with EXPLAIN, or give it a longer `interval`",
                self.cost
            )));
        }
        flaws
    }
}

/// What a line of a plan does and costs in all; `None` for a line that is no step.
fn step(line: &str) -> Option<(String, f64)> {
    let (what, numbers) = line.split_once("  (cost=")?;
    let (_, total) = numbers.split_once("..")?;
    let total = total.split(' ').next()?.parse().ok()?;
    Some((
        what.trim().trim_start_matches("->").trim().to_owned(),
        total,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(plan: &str) -> (String, Vec<String>) {
        let mut table = Table::new(["QUERY PLAN"]);
        for line in plan.lines() {
            table.push(&[Some(line)]);
        }
        let Some(estimate) = Estimate::read(&table) else {
            return ("none".into(), Vec::new());
        };
        let flaws = estimate.flaws().into_iter().map(|flaw| flaw.words);
        let said = format!("{} {}", estimate.cost, estimate.top);
        (
            said,
            flaws.map(|words| words.replace('\n', " | ")).collect(),
        )
    }

    #[test]
    fn a_plan_is_its_top_line_and_its_long_scans() {
        let small = "Aggregate  (cost=4.04..4.05 rows=1 width=8)\n  ->  Seq Scan on jobs  (cost=0.00..4.00 rows=3 width=0)\n        Filter: (started_at IS NULL)";
        assert_eq!(check(small), ("4.05 Aggregate".into(), vec![]));
        let long = "Finalize Aggregate  (cost=21000.00..21000.01 rows=1 width=8)\n  ->  Parallel Seq Scan on events e  (cost=0.00..20833.33 rows=1 width=0)";
        let (top, flaws) = check(long);
        assert_eq!(top, "21000.01 Finalize Aggregate");
        assert!(
            flaws[0].starts_with("reads table `events` from one end"),
            "{flaws:?}"
        );
        let (_, flaws) = check("Nested Loop  (cost=0.00..2000000.00 rows=1 width=8)");
        assert!(
            flaws[0].starts_with("has a planned cost of 2000000"),
            "{flaws:?}"
        );
        assert_eq!(check("Utility Statement").0, "none");
    }
}
