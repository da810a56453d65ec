//! One reading of one job: the statement, its retries, and what it becomes on the board.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Board;
use super::doubts::Doubts;
use super::job::Job;
use super::memory::Memory;
use super::rest;
use crate::collectors::{Run, Sampled, is_built_in, samples};
use crate::sample::Timestamp;
use crate::server::{Lane, ReadError, Server, Table, Visit};

/// How often a reading that met a lock is tried again; the statement itself leaves out what is locked by then.
const RETRIES: usize = 2;

/// The connection that a reading runs on.
pub(super) enum Through<'a> {
    /// Connection A.
    Held(&'a Server),
    /// Connection B.
    Visit(&'a mut Visit),
}

impl Through<'_> {
    async fn read(&mut self, sql: &str, timeout: Duration) -> Result<Table, ReadError> {
        match self {
            Through::Held(server) => server.read(Lane::Held, None, sql, timeout).await,
            Through::Visit(visit) => visit.read(sql, timeout).await,
        }
    }
}

/// Reads a job and says how long it took. What does not exist on this server is no data, not a failure. A lookup that
/// knows all it needs to reads nothing.
pub(super) async fn read(
    job: &Job,
    through: &mut Through<'_>,
    memory: &Memory,
) -> (Duration, Result<Sampled, ReadError>) {
    let begun = Instant::now();
    let asked = memory.lookups.unknown(&job.source);
    if asked.as_ref().is_some_and(Vec::is_empty) {
        let mut known = Sampled::default();
        memory.lookups.keep(&job.source, Vec::new(), &mut known);
        return (begun.elapsed(), Ok(known));
    }
    let sql = job.run.statement(asked.as_deref().unwrap_or_default());
    let mut answer = through.read(&sql, job.run.timeout).await;
    for _ in 0..RETRIES {
        if !matches!(answer, Err(ReadError::Locked(_))) {
            break;
        }
        answer = through.read(&sql, job.run.timeout).await;
    }
    let outcome = match answer {
        Ok(table) => sampled(job, &table, asked, memory),
        // A user's own statement over the whole server names what should be there; in a database it may be missing.
        Err(ReadError::Absent(what))
            if job.database.is_some() || is_built_in(&job.run.collector.name) =>
        {
            tracing::debug!(source = %job.source, what, "nothing to read");
            Ok(Sampled::default())
        }
        Err(error) => Err(error),
    };
    (begun.elapsed(), outcome)
}

fn sampled(
    job: &Job,
    table: &Table,
    asked: Option<Vec<Arc<str>>>,
    memory: &Memory,
) -> Result<Sampled, ReadError> {
    let needed = job.run.collector.privilege.as_ref();
    if let Some(rights) = needed.and_then(|needed| needed.missing_in(table)) {
        return Err(ReadError::Missing(rights.to_owned()));
    }
    let Memory { rooms, lookups } = memory;
    let mut sampled = samples(&job.run, table, &rooms.of(&job.source));
    lookups.note(&job.source, &sampled.samples);
    if let Some(asked) = asked {
        lookups.keep(&job.source, asked, &mut sampled);
    }
    rooms.keep(&job.source, &mut sampled);
    if let Some(left_out) = &sampled.rest {
        let rest = rest::samples(&job.source, left_out);
        sampled.samples.extend(rest);
    }
    Ok(sampled)
}

/// Puts a reading on the board and logs when a job begins or ceases to fail. What ended the session may be the
/// server's failure, so that it is kept in `doubts`.
pub(super) fn publish(
    job: &Arc<Job>,
    board: &Board,
    doubts: &Doubts,
    (took, outcome): (Duration, Result<Sampled, ReadError>),
) {
    let now = Timestamp::now();
    match outcome {
        Ok(Sampled {
            samples, dropped, ..
        }) => {
            board.publish(&job.source, now, took, samples, dropped);
            doubts.forget(job);
            job.succeeds();
        }
        Err(error) => {
            let words = explained(job, &error);
            if error.wants_right() {
                doubts.refused(job, &error, &words);
                return board.deny(&job.source, now, took, words);
            }
            if error.ends_session() {
                doubts.keep(job, words.clone());
            } else {
                job.fails(&words);
            }
            board.fail(&job.source, now, took, words);
        }
    }
}

/// A failure with the way out where there is one to name.
pub(super) fn explained(job: &Job, error: &ReadError) -> String {
    told(&job.run, error)
}

/// The same of a run without a job.
pub(super) fn told(run: &Run, error: &ReadError) -> String {
    match (error, &run.collector.privilege) {
        (ReadError::Denied(_), Some(needed)) => {
            format!("{error}; mend with `{}`", run.grant(needed.needs()))
        }
        (ReadError::Missing(rights), Some(needed)) => {
            format!("{}; mend with `{}`", needed.reason, run.grant(rights))
        }
        (ReadError::Denied(_), None) => {
            format!("{error}; `pgvigil grants` prints what the role needs")
        }
        _ => error.to_string(),
    }
}
