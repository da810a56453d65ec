//! A user's own collector tried once on a server: its statement, and what the planner expects of it.

use std::time::{Duration, Instant};

use crate::collectors::{Estimate, Run};
use crate::server::{ReadError, Server, Table};

/// What came of it.
#[derive(Debug)]
pub struct Trial {
    /// The database in which it was tried; the configured one when `None`.
    pub database: Option<String>,
    /// How long the statement took.
    pub took: Duration,
    /// What it answered.
    pub answer: Result<Table, ReadError>,
    /// The planner's estimate, for statements that have a plan.
    pub estimate: Option<Estimate>,
}

/// Runs it read-only within its timeout, on the second connection: one of database scope in the first database that has
/// what it reads, else in the last.
pub async fn try_out(server: &Server, run: &Run) -> Trial {
    let mut databases = run.databases.iter();
    let mut trial = try_in(server, run, databases.next()).await;
    for database in databases {
        if !matches!(trial.answer, Err(ReadError::Absent(_))) {
            break;
        }
        trial = try_in(server, run, Some(database)).await;
    }
    trial
}

async fn try_in(server: &Server, run: &Run, database: Option<&String>) -> Trial {
    let mut trial = Trial {
        database: database.cloned(),
        took: Duration::ZERO,
        answer: Ok(Table::default()),
        estimate: None,
    };
    let mut visit = match server.visit(run.lane, database.map(String::as_str)).await {
        Ok(visit) => visit,
        Err(error) => {
            trial.answer = Err(error);
            return trial;
        }
    };
    let sql = run.statement(&[]);
    let begun = Instant::now();
    trial.answer = visit.read(&sql, run.timeout).await;
    trial.took = begun.elapsed();
    if trial.answer.is_ok() {
        let plan = visit.read(&Estimate::question(&sql), run.timeout).await;
        trial.estimate = plan.ok().as_ref().and_then(Estimate::read);
    }
    trial
}
