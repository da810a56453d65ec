//! Tracing, and pgvigil's own metrics as samples like any other.

mod incident;
mod reload;
mod store;

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

use crate::incident::{Ledger, SilenceState};
use crate::rules::Statuses;
use crate::sample::{Metric, Sample, Source, Timestamp};
use crate::scrape::Board;
use crate::store::{Keeper, Store};

pub use reload::Reloads;

/// The pool warns of each session that a restarted server has closed; the watch says itself when a server is down.
const FILTER: &str = "info,deadpool=error,object_store=warn";

/// Starts logging to standard error; `PGVIGIL_LOG` filters, `PGVIGIL_LOG_FORMAT=json` is for machines.
///
/// # Errors
/// The filter cannot be read.
pub fn start_logging() -> anyhow::Result<()> {
    let filter = std::env::var("PGVIGIL_LOG").unwrap_or_else(|_| FILTER.into());
    let filter = EnvFilter::try_new(&filter).map_err(|error| {
        anyhow!("PGVIGIL_LOG is no log filter: {error}; try `info` or `pgvigil::notify=debug`")
    })?;
    let logging = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        .with_ansi(std::io::stderr().is_terminal());
    let json = std::env::var("PGVIGIL_LOG_FORMAT").is_ok_and(|format| format == "json");
    let started = if json {
        logging.json().try_init()
    } else {
        logging.try_init()
    };
    started.map_err(|error| anyhow!("logging cannot start: {error}"))
}

/// The rooms whose state becomes metrics.
pub struct Own {
    /// When the process started.
    pub started: Timestamp,
    /// Its series.
    pub store: Arc<Store>,
    /// Its history on disk.
    pub keeper: Arc<Keeper>,
    /// Its rule groups.
    pub statuses: Arc<Statuses>,
    /// Its incident log.
    pub ledger: Arc<Ledger>,
    /// What else is to be told: the metrics of rooms that this one does not know.
    pub more: Box<dyn Fn() -> Vec<Sample> + Send + Sync>,
    /// What became of reading its configuration again.
    pub reloads: Arc<Reloads>,
    /// Its users' own files of collectors, each with the SHA-256 of its text.
    pub included: Vec<(String, String)>,
}

/// Publishes pgvigil's own metrics on an interval until told to stop.
pub async fn run(own: Own, board: Arc<Board>, interval: Duration, stop: CancellationToken) {
    let source = Source::own();
    board.declare(&source, interval, 3);
    let mut timer = tokio::time::interval(interval);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = timer.tick() => {}
        }
        board.publish(&source, Timestamp::now(), Duration::ZERO, own.samples(), 0);
    }
}

const BUILD_INFO: Metric =
    Metric::gauge("pgvigil_build_info", "Always 1; the version is the label.");
const EVALUATIONS: Metric = Metric::counter("pgvigil_rule_evaluations_total", "Rules evaluated.");
const EVALUATION_FAILURES: Metric = Metric::counter(
    "pgvigil_rule_evaluation_failures_total",
    "Rules that gave an error.",
);
const MISSED: Metric = Metric::counter(
    "pgvigil_rule_group_iterations_missed_total",
    "Evaluations skipped because one ran long.",
);
const LAST_EVALUATION: Metric = Metric::gauge(
    "pgvigil_rule_group_last_evaluation_timestamp_seconds",
    "The last slot at which the group was evaluated.",
);
const EVALUATION_TOOK: Metric = Metric::gauge(
    "pgvigil_rule_group_last_duration_seconds",
    "How long the last evaluation of the group took.",
);
const SILENCES: Metric = Metric::gauge(
    "pgvigil_silences",
    "Silences by state: `active` hold, `pending` have not begun, `expired` are over and not yet forgotten.",
);
const LOAD_ERROR: Metric = Metric::gauge(
    "pg_exporter_user_queries_load_error",
    "Whether the file of own collectors could not be loaded; one that cannot keeps pgvigil from starting.",
);
const CPU: Metric = Metric::counter(
    "process_cpu_seconds_total",
    "Processor time used by pgvigil, user and system.",
);
const RESIDENT: Metric = Metric::gauge(
    "process_resident_memory_bytes",
    "Resident memory of pgvigil.",
);
const VIRTUAL: Metric = Metric::gauge("process_virtual_memory_bytes", "Virtual memory of pgvigil.");
const OPEN_FDS: Metric = Metric::gauge("process_open_fds", "Open file descriptors of pgvigil.");
const MAX_FDS: Metric = Metric::gauge("process_max_fds", "File descriptors pgvigil may open.");
const START_TIME: Metric = Metric::gauge(
    "process_start_time_seconds",
    "When pgvigil was started, in Unix seconds.",
);

/// Every metric declared here, for the reference and for checking rules.
pub const METRICS: &[Metric] = &[
    BUILD_INFO,
    store::SERIES,
    store::SAMPLES,
    store::BYTES,
    store::REFUSED,
    store::CREATED,
    store::REMOVED,
    store::SNAPSHOT_TIME,
    store::SNAPSHOT_BYTES,
    store::SNAPSHOT_TOOK,
    store::SNAPSHOT_FAILURES,
    store::SNAPSHOT_DAMAGED,
    EVALUATIONS,
    EVALUATION_FAILURES,
    MISSED,
    LAST_EVALUATION,
    EVALUATION_TOOK,
    incident::WRITABLE,
    incident::BYTES,
    incident::APPENDS,
    incident::APPENDING,
    incident::COMPACTIONS,
    incident::FAILURES,
    SILENCES,
    reload::SUCCESSFUL,
    reload::SUCCESS_TIME,
    LOAD_ERROR,
    CPU,
    RESIDENT,
    VIRTUAL,
    OPEN_FDS,
    MAX_FDS,
    START_TIME,
];

impl Own {
    fn samples(&self) -> Vec<Sample> {
        let mut samples = vec![
            BUILD_INFO.sample(&[("version", env!("CARGO_PKG_VERSION"))], 1.0),
            START_TIME.sample(&[], self.started.seconds()),
        ];
        samples.extend(incident::log(&self.ledger));
        samples.extend(silences(&self.ledger, Timestamp::now()));
        samples.extend(self.reloads.samples());
        samples.extend(store::held(&self.store.size()));
        samples.extend(store::kept(&self.keeper.kept()));
        samples.extend(store::damaged(&self.keeper.damaged()));
        for group in self.statuses.all() {
            let labels = [
                ("file", group.file.as_str()),
                ("rule_group", group.group.as_str()),
            ];
            samples.push(EVALUATIONS.sample(&labels, group.evaluations as f64));
            samples.push(EVALUATION_FAILURES.sample(&labels, group.failures as f64));
            samples.push(MISSED.sample(&labels, group.missed as f64));
            samples.push(EVALUATION_TOOK.sample(&labels, group.took.as_secs_f64()));
            samples.extend(
                group
                    .last_evaluation
                    .map(|slot| LAST_EVALUATION.sample(&labels, slot.seconds())),
            );
        }
        samples.extend(self.included.iter().map(|(filename, hashsum)| {
            LOAD_ERROR.sample(&[("filename", filename), ("hashsum", hashsum)], 0.0)
        }));
        samples.extend((self.more)());
        samples.extend(process().unwrap_or_default());
        samples
    }
}

/// How many silences are in each state, also in those that none is in.
fn silences(ledger: &Ledger, now: Timestamp) -> [Sample; 3] {
    let states: Vec<SilenceState> = ledger.read(|book| {
        let silences = book.silences.values();
        silences.map(|silence| silence.state(now)).collect()
    });
    [
        ("active", SilenceState::Active),
        ("pending", SilenceState::Pending),
        ("expired", SilenceState::Expired),
    ]
    .map(|(word, wanted)| {
        let count = states.iter().filter(|state| **state == wanted).count();
        SILENCES.sample(&[("state", word)], count as f64)
    })
}

/// What the kernel says of this process; `None` where there is no `/proc`.
fn process() -> Option<Vec<Sample>> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is the command's name in parentheses and may itself hold blanks.
    let fields: Vec<f64> = stat
        .rsplit_once(") ")?
        .1
        .split_ascii_whitespace()
        .map(|field| field.parse().unwrap_or(0.0))
        .collect();
    let ticks = rustix::param::clock_ticks_per_second() as f64;
    let page = rustix::param::page_size() as f64;
    let mut samples = vec![
        CPU.sample(&[], (fields.get(11)? + fields.get(12)?) / ticks),
        VIRTUAL.sample(&[], *fields.get(20)?),
        RESIDENT.sample(&[], fields.get(21)? * page),
    ];
    samples.push(OPEN_FDS.sample(&[], std::fs::read_dir("/proc/self/fd").ok()?.count() as f64));
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    samples.extend(limit.map(|most| MAX_FDS.sample(&[], most as f64)));
    Some(samples)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pool_is_heard_of_errors_only() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let logging = tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::new(FILTER))
            .with_writer(file.reopen().unwrap())
            .finish();
        tracing::subscriber::with_default(logging, || {
            tracing::warn!(target: "deadpool.postgres", "could not be recycled");
            tracing::error!(target: "deadpool.postgres", "broken");
            tracing::info!("server is up");
        });
        let said = std::fs::read_to_string(file.path()).unwrap();
        assert!(!said.contains("recycled"), "{said}");
        assert!(
            said.contains("broken") && said.contains("server is up"),
            "{said}"
        );
    }
}
