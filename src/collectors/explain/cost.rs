//! What a plan costs: each collector as it was measured once, and all of them against the load budget.

use std::sync::Arc;
use std::time::Duration;

use super::columns::columns;
use super::{connection, databases, omitted};
use crate::collectors::budget::{self, widen};
use crate::collectors::{Plan, Run, Settings};
use crate::document::format_duration;

/// One reading of one collector in one database.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// The collector's name.
    pub collector: Arc<str>,
    /// The database, for collectors of database scope.
    pub database: Arc<str>,
    /// How long it took.
    pub took: Duration,
    /// How many series it gave, or why none, with the way out.
    pub outcome: Result<usize, String>,
}

/// The plan with what it costs: a row per collector, the sum against the budget, what failed, what does not run.
pub fn explain_costs(plan: &Plan, measured: &[Measured], settings: &Settings) -> String {
    let costs: Vec<Cost> = plan
        .runs
        .iter()
        .map(|run| Cost::of(run, measured))
        .collect();
    let heads = [
        "collector",
        "interval",
        "took",
        "of a core",
        "series",
        "connection",
        "databases",
    ];
    let mut rows = vec![heads.map(String::from)];
    rows.extend(costs.iter().map(Cost::row));
    format!(
        "{}\n{}{}{}{}",
        columns(&rows),
        sum(&costs),
        against_budget(&costs, settings),
        failed(&costs),
        omitted(plan)
    )
}

/// What one collector costs in all its databases together.
struct Cost<'a> {
    run: &'a Run,
    took: Duration,
    series: usize,
    failures: Vec<(&'a str, &'a str)>,
}

impl<'a> Cost<'a> {
    fn of(run: &'a Run, measured: &'a [Measured]) -> Self {
        let mut cost = Cost {
            run,
            took: Duration::ZERO,
            series: 0,
            failures: Vec::new(),
        };
        let own = measured
            .iter()
            .filter(|one| one.collector == run.collector.name);
        for Measured {
            database,
            took,
            outcome,
            ..
        } in own
        {
            cost.took += *took;
            match outcome {
                Ok(series) => cost.series += series,
                Err(error) => cost.failures.push((database, error)),
            }
        }
        cost
    }

    /// The statement may have waited meanwhile, so that this is the most it can be.
    fn share(&self) -> f64 {
        self.took.as_secs_f64() / self.run.interval.as_secs_f64()
    }

    fn row(&self) -> [String; 7] {
        let all_failed = self.failures.len() == self.run.databases.len().max(1);
        [
            self.run.collector.name.to_string(),
            format_duration(self.run.interval),
            format!("{:.1} ms", self.took.as_secs_f64() * 1000.0),
            percent(self.share()),
            match all_failed {
                true => "failed".into(),
                false => self.series.to_string(),
            },
            connection(self.run),
            match self.run.databases.len() {
                0 => String::new(),
                count => format!("{count}: {}", databases(self.run)),
            },
        ]
    }
}

impl Cost<'_> {
    /// A row for each way in which it failed, with the databases that share it.
    fn failed(&self) -> Vec<[String; 2]> {
        let mut ways: Vec<(&str, Vec<&str>)> = Vec::new();
        for (database, error) in &self.failures {
            match ways.iter_mut().find(|(known, _)| known == error) {
                Some((_, databases)) => databases.push(database),
                None => ways.push((error, vec![database])),
            }
        }
        let name = &self.run.collector.name;
        ways.into_iter()
            .map(|(error, databases)| {
                let what = match databases.as_slice() {
                    [""] => name.to_string(),
                    [database] => format!("{name} in {database}"),
                    several => format!("{name} in {} databases", several.len()),
                };
                [what, error.to_owned()]
            })
            .collect()
    }
}

fn sum(costs: &[Cost]) -> String {
    let took: Duration = costs.iter().map(|cost| cost.took).sum();
    let series: usize = costs.iter().map(|cost| cost.series).sum();
    let share: f64 = costs.iter().map(Cost::share).sum();
    format!(
        "All {} together take {:.1} ms for {series} series, and at their intervals at most {} of a core.\n",
        costs.len(),
        took.as_secs_f64() * 1000.0,
        percent(share)
    )
}

/// Whether the sum is within the load budget, and what is read less often if it stays as it is.
fn against_budget(costs: &[Cost], settings: &Settings) -> String {
    let Some(budget) = settings.load_budget else {
        return "There is no load budget.\n".into();
    };
    let loads: Vec<budget::Cost> = costs
        .iter()
        .map(|cost| budget::Cost {
            load: cost.share(),
            may_widen: cost.run.may_widen(settings.interval),
            factor: 1,
        })
        .collect();
    let widened = costs.iter().zip(widen(&loads, budget));
    let mut rows = vec![["over the budget", "would be read every"].map(String::from)];
    rows.extend(
        widened
            .filter(|(_, factor)| *factor > 1)
            .map(|(cost, factor)| {
                let interval = format_duration(cost.run.interval * factor);
                [cost.run.collector.name.to_string(), interval]
            }),
    );
    let said = format!("The load budget is {} of a core.\n", percent(budget));
    match rows.len() {
        1 => said,
        _ => format!("{said}\n{}", columns(&rows)),
    }
}

/// What failed, after an empty line; nothing when nothing did.
fn failed(costs: &[Cost]) -> String {
    let mut rows = vec![["failed", "because"].map(String::from)];
    rows.extend(costs.iter().flat_map(Cost::failed));
    match rows.len() {
        1 => String::new(),
        _ => format!("\n{}", columns(&rows)),
    }
}

fn percent(share: f64) -> String {
    format!("{:.3}%", share * 100.0)
}
