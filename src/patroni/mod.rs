//! Patroni, as the REST API of each of its nodes tells of itself and of its cluster.
//! Takes settings; hands samples to the board.

mod client;
mod cluster;
mod metric;
mod node;
mod settings;
mod watch;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::sample::Source;
use crate::scrape::{Board, Failure, LIVENESS, Reading};

use client::Client;
use cluster::Cluster;

pub use metric::METRICS;
pub use node::Node;
pub use settings::Settings;

/// The collector names of what a node tells of itself, and of its cluster.
const NODE: &str = "patroni";
const CLUSTER: &str = "patroni_cluster";

/// Reads every node at `interval` until stopped: each fails alone.
pub async fn run(
    nodes: Vec<Settings>,
    interval: Duration,
    board: Arc<Board>,
    stop: CancellationToken,
) {
    let watches = nodes
        .into_iter()
        .map(|settings| watch::run(settings, interval, &board));
    stop.run_until_cancelled(futures_util::future::join_all(watches))
        .await;
}

/// What a node says of itself.
///
/// # Errors
/// Why it could not be asked, with the way out where there is one; never with a secret.
pub async fn ask(settings: &Settings) -> Result<Node, String> {
    Client::new(settings)?.node().await
}

/// Reads a node once.
///
/// # Errors
/// As [`ask`]; that the cluster is not known is in its [`Reading`].
pub async fn once(settings: &Settings) -> Result<Vec<Reading>, String> {
    let client = Client::new(settings)?;
    let begun = Instant::now();
    let node = client.node().await?;
    let read = |collector, took, outcome: Result<_, String>| Reading {
        source: Source::new(&settings.name, "", collector),
        took,
        outcome: outcome.map_err(Failure::fault),
    };
    let alive = read(LIVENESS, Duration::ZERO, Ok(vec![metric::up(true)]));
    let of_node = read(NODE, begun.elapsed(), Ok(node.samples()));
    let begun = Instant::now();
    let cluster = client.cluster().await;
    let samples = cluster.map(|cluster| cluster.samples(&node.patroni.scope));
    Ok(vec![
        alive,
        of_node,
        read(CLUSTER, begun.elapsed(), samples),
    ])
}
