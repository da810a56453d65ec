//! A user's own collectors on a server: each is run once, and what it answers is held against what it declares.

use std::time::Duration;

use super::Finding;
use crate::collectors::{Run, Settings, examine};
use crate::document::format_duration;
use crate::scrape::{Trial, try_out};
use crate::server::{Facts, ReadError, Server};

/// What is to be said of one collector.
pub(super) async fn check(
    server: &Server,
    facts: &Facts,
    run: &Run,
    settings: &Settings,
) -> Vec<(Finding, String)> {
    let trial = try_out(server, run).await;
    let said = match &trial.answer {
        Err(error) => vec![(Finding::Bad, refusal(error, run))],
        Ok(table) => {
            let (series, mut flaws) = examine(run, table, facts.major(), settings);
            flaws.extend(trial.estimate.iter().flat_map(|estimate| estimate.flaws()));
            let mut said: Vec<(Finding, String)> = flaws
                .into_iter()
                .map(|flaw| match flaw.grave {
                    true => (Finding::Bad, flaw.words),
                    false => (Finding::Warning, flaw.words),
                })
                .collect();
            said.extend(slow(&trial, run, settings).map(|words| (Finding::Warning, words)));
            if said.is_empty() {
                said.push((Finding::Good, praise(&trial, series)));
            }
            said
        }
    };
    let place = match &trial.database {
        Some(database) => format!(" in database `{database}`"),
        None => String::new(),
    };
    said.into_iter()
        .map(|(finding, words)| {
            let name = &run.collector.name;
            (finding, format!("collector `{name}`{place}: {words}"))
        })
        .collect()
}

/// Why there was no answer, in words.
fn refusal(error: &ReadError, run: &Run) -> String {
    match error {
        ReadError::Fault { code, message } if code == "25006" => format!(
            "its statement tries to write, and pgvigil only reads: {message}\nhint: write a statement that changes \
             nothing; functions that it calls may not either"
        ),
        ReadError::Absent(what) if run.databases.len() > 1 => {
            format!(
                "reads what none of {} databases has: {what}",
                run.databases.len()
            )
        }
        ReadError::Absent(what) => format!("reads what is not there: {what}"),
        ReadError::Denied(_) => {
            format!(
                "{error}\nhint: grant the role of pgvigil what it reads, such as SELECT on the table"
            )
        }
        ReadError::Timeout(limit) => format!(
            "gave no answer within its timeout of {}\nhint: make the statement cheaper, or give the file a longer \
             `timeout`",
            format_duration(*limit)
        ),
        _ => error.to_string(),
    }
}

/// A statement that takes long for its timeout or its interval.
fn slow(trial: &Trial, run: &Run, settings: &Settings) -> Option<String> {
    let share = trial.took.as_secs_f64() / run.interval.as_secs_f64();
    if trial.took > run.timeout / 2 {
        return Some(format!(
            "took {}, more than half of its timeout of {}\nhint: make the statement cheaper, or give the file a longer \
             `timeout`",
            rounded(trial.took),
            format_duration(run.timeout)
        ));
    }
    let budget = settings.load_budget.filter(|budget| share > *budget)?;
    Some(format!(
        "took {} and is read every {}: that alone is more than the load budget of {}% of a core\nhint: give the file a \
         longer `interval`",
        rounded(trial.took),
        format_duration(run.interval),
        budget * 100.0
    ))
}

fn praise(trial: &Trial, series: usize) -> String {
    let plan = trial.estimate.as_ref().map(|estimate| {
        let (top, cost) = (&estimate.top, estimate.cost);
        format!("; planned cost {cost:.0}, {top}")
    });
    let took = rounded(trial.took);
    format!("{series} series in {took}{}", plan.unwrap_or_default())
}

fn rounded(took: Duration) -> String {
    format!("{:.1} ms", took.as_secs_f64() * 1000.0)
}
