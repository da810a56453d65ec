//! Everything read once, without timers: what `pgvigil once` prints.

use std::sync::Arc;
use std::time::Duration;

use super::console;
use super::job::Job;
use super::liveness::{self, LIVENESS, SESSION};
use super::memory::Memory;
use super::reading::{self, Through, explained};
use super::sign::Role;
use crate::collectors::{Collector, Plan, Settings, plan};
use crate::sample::{Sample, Source};
use crate::server::{Kind, ReadError, Server, ServerError, Trouble};

/// One source read once.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// What was read.
    pub source: Source,
    /// How long the statement took, without waiting for a connection.
    pub took: Duration,
    /// Its samples, or why there are none.
    pub outcome: Result<Vec<Sample>, Failure>,
}

/// Why a source could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// In words, with the way out where there is one.
    pub words: String,
    /// Whether it is for want of a right: nothing is wrong, somebody may grant it or not.
    pub denied: bool,
    /// Whether it is because the database may not be entered, which holds for all that is read there.
    pub not_admitted: bool,
}

impl Failure {
    /// One that rights would not have helped.
    pub fn fault(words: String) -> Self {
        Failure {
            words,
            denied: false,
            not_admitted: false,
        }
    }
}

impl Reading {
    /// Whether there is nothing to mend: it was read, or not permitted to be.
    pub fn is_good(&self) -> bool {
        self.outcome
            .as_ref()
            .err()
            .is_none_or(|failure| failure.denied)
    }
}

/// Connects, plans and reads everything once, over at most two connections.
///
/// # Errors
/// The server cannot be reached; what a collector could not read is in its [`Reading`].
pub async fn once(
    server: &Server,
    catalogue: &[Arc<Collector>],
    settings: &Settings,
) -> Result<Vec<Reading>, ServerError> {
    let answer = server.alive().await;
    let role = Role::of(&answer);
    let pulse = answer?;
    let facts = server.facts().await.map_err(|error| ServerError {
        trouble: Trouble::Other,
        what: format!("server `{}` does not say what it is", server.name),
        cause: error.to_string(),
        hint: None,
    })?;
    let told = |collector: &str, took, samples| Reading {
        source: Source::new(&server.name, "", collector),
        took,
        outcome: Ok(samples),
    };
    let alive = match server.kind() {
        Kind::PostgreSql => liveness::samples(true, role),
        Kind::PgBouncer => console::samples(true),
    };
    let mut readings = vec![told(LIVENESS, Duration::ZERO, alive)];
    readings.extend(pulse.map(|pulse| {
        let samples = liveness::session_samples(&pulse);
        told(SESSION, pulse.round_trip, samples)
    }));
    readings.extend(carry_out(server, &plan(catalogue, &facts, settings), settings).await);
    Ok(readings)
}

/// Reads once what a plan asks for, over at most two connections.
pub async fn carry_out(server: &Server, plan: &Plan, settings: &Settings) -> Vec<Reading> {
    let mut readings = Vec::new();
    let jobs = Job::all(&server.name, plan);
    let memory = Memory::new(settings.max_series);
    memory.plan(&jobs);
    let (quick, mut slow): (Vec<_>, Vec<_>) = jobs.into_iter().partition(|job| job.is_quick());
    for job in quick {
        readings.push(read(&job, &mut Through::Held(server), &memory).await);
    }
    slow.sort_by(|one, other| one.place().cmp(&other.place()));
    for jobs in slow.chunk_by(|one, other| one.place() == other.place()) {
        readings.extend(visit(server, jobs, &memory).await);
    }
    readings
}

async fn visit(server: &Server, jobs: &[Arc<Job>], memory: &Memory) -> Vec<Reading> {
    let mut readings = Vec::with_capacity(jobs.len());
    let mut visit = None;
    for (place, job) in jobs.iter().enumerate() {
        if visit.as_ref().is_none_or(crate::server::Visit::is_over) {
            drop(visit.take());
            visit = match server.visit(job.run.lane, job.database.as_deref()).await {
                Ok(opened) => Some(opened),
                Err(error) => {
                    let rest = jobs[place..].iter();
                    readings.extend(rest.map(|job| failed(job, Duration::ZERO, &error)));
                    return readings;
                }
            };
        }
        if let Some(visit) = &mut visit {
            readings.push(read(job, &mut Through::Visit(visit), memory).await);
        }
    }
    readings
}

async fn read(job: &Job, through: &mut Through<'_>, memory: &Memory) -> Reading {
    match reading::read(job, through, memory).await {
        (took, Ok(sampled)) => Reading {
            source: job.source.clone(),
            took,
            outcome: Ok(sampled.samples),
        },
        (took, Err(error)) => failed(job, took, &error),
    }
}

fn failed(job: &Job, took: Duration, error: &ReadError) -> Reading {
    Reading {
        source: job.source.clone(),
        took,
        outcome: Err(Failure {
            words: explained(job, error),
            denied: error.wants_right(),
            not_admitted: matches!(error, ReadError::NotAdmitted(_)),
        }),
    }
}
