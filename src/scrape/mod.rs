//! Runs collectors and backup probes on their intervals and keeps what they last read.
//! Takes plans and servers; hands samples to the store and the page through the [`Board`].

mod board;

pub use board::{Board, Status};

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::collectors::{Collector, Settings};
use crate::sample::{Metric, Sample, Source};
use crate::server::{Server, ServerError};

/// Every metric about the reading itself: `pg_up`, the self-metrics per source and postgres_exporter's own.
pub const METRICS: &[Metric] = &[];

/// One source read once.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// What was read.
    pub source: Source,
    /// Its samples, or why there are none.
    pub outcome: Result<Vec<Sample>, String>,
}

/// Reads every server on its own timers until told to stop.
pub async fn run(
    _servers: Vec<Arc<Server>>,
    _catalogue: Vec<Arc<Collector>>,
    _settings: Settings,
    _board: Arc<Board>,
    _stop: CancellationToken,
) {
    todo!()
}

/// Reads everything of one server once.
///
/// # Errors
/// The server cannot be reached.
pub async fn once(
    _server: &Server,
    _catalogue: &[Arc<Collector>],
    _settings: &Settings,
) -> Result<Vec<Reading>, ServerError> {
    todo!()
}
