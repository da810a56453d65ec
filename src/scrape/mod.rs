//! Runs collectors on their intervals and keeps what they last read.
//! Takes plans and servers; hands samples to the store and the page through the [`Board`].

mod admission;
mod board;
mod console;
mod doubts;
mod evidence;
mod job;
mod liveness;
mod lookups;
mod memory;
mod once;
mod pace;
mod reading;
mod report;
mod rest;
mod rooms;
mod shares;
mod sign;
mod timetable;
mod told;
mod trial;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::collectors::{Collector, Settings};
use crate::sample::{Metric, Timestamp};
use crate::server::Server;

pub use board::{Board, Status, reason};
pub use evidence::{Inquiry, Readings};
pub use liveness::{LIVENESS, SESSION};
pub use once::{Failure, Reading, carry_out, once};
pub use report::{INTERVAL, LAST_SUCCESS, REPORT, self_metrics};
pub use sign::{Role, Sign, Signs};
pub use trial::{Trial, try_out};

/// Every metric about the reading itself: the signs of life, the self-metrics per source and postgres_exporter's own.
pub const METRICS: &[Metric] = &[
    liveness::PG_UP,
    liveness::ROLE,
    liveness::DURATION,
    liveness::CLOCK_SKEW,
    liveness::CERTIFICATE,
    liveness::CHAIN,
    console::PGBOUNCER_UP,
    admission::DATABASES,
    admission::DATABASE_UP,
    report::DURATION,
    report::INTERVAL,
    report::LOAD,
    report::MEMORY,
    report::SUCCESS,
    report::DENIED,
    report::LAST_SUCCESS,
    report::SERIES,
    report::DROPPED,
    rest::REST,
    rest::REST_ROWS,
    report::COLLECTOR_DURATION,
    report::COLLECTOR_SUCCESS,
    report::SCRAPE_DURATION,
    report::SCRAPE_ERROR,
    report::SCRAPES,
    evidence::READINGS,
    evidence::FAILURES,
    evidence::DURATION,
];

/// How much later than the last a server is first connected to, and no more than an interval for all of them, so that
/// hundreds do not cost as many logins at once.
const STAGGER: Duration = Duration::from_millis(50);

/// Reads every server on its own timers until told to stop: each fails alone.
pub async fn run(
    servers: Vec<Arc<Server>>,
    catalogue: Vec<Arc<Collector>>,
    settings: Settings,
    board: Arc<Board>,
    signs: Arc<Signs>,
    stop: CancellationToken,
) {
    let (catalogue, settings) = (Arc::from(catalogue), Arc::new(settings));
    board.watch(servers.iter().map(|server| server.name.as_str()));
    let mut tasks = JoinSet::new();
    let count = u32::try_from(servers.len()).unwrap_or(u32::MAX);
    let apart = STAGGER.min(settings.interval / count.max(1));
    for (place, server) in (0..).zip(servers) {
        let watch = watch::Watch::new(server, &catalogue, &settings, &board, &signs);
        let stop = stop.clone();
        let begun = async move {
            tokio::time::sleep(apart * place).await;
            watch.run().await;
        };
        tasks.spawn(async move { stop.run_until_cancelled(begun).await.is_some() });
    }
    tasks.spawn(async move {
        stop.run_until_cancelled(keep_current(&board))
            .await
            .is_some()
    });
    tasks.join_all().await;
}

async fn keep_current(board: &Board) {
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    loop {
        ticks.tick().await;
        let now = Timestamp::now();
        board.expire(now);
        board.repeat(now);
    }
}
