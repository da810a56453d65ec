//! The timer of one node: whether it answers, what it says of itself, what it knows of its cluster.

use std::time::{Duration, Instant};

use tokio::time::{MissedTickBehavior, interval};

use super::client::Client;
use super::metric::up;
use super::{CLUSTER, NODE, Node, Settings};
use crate::sample::{Sample, Source, Timestamp};
use crate::scrape::{Board, LIVENESS, REPORT, self_metrics};

/// How many intervals what was read outlives a failure.
const LIFETIME: u32 = 3;

/// Reads a node for ever.
pub(super) async fn run(settings: Settings, every: Duration, board: &Board) {
    let mut watch = Watch::new(&settings, board);
    board.declare(&watch.alive, every + settings.timeout, 1);
    board.declare(&watch.node, every, LIFETIME);
    board.declare(&watch.cluster, every, LIFETIME);
    board.declare(&watch.report, every, LIFETIME);
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        watch.read().await;
        watch.tell();
    }
}

struct Watch<'w> {
    settings: &'w Settings,
    board: &'w Board,
    /// Made anew after a failure, for certificates and keys may have changed.
    client: Option<Client<'w>>,
    alive: Source,
    node: Source,
    cluster: Source,
    report: Source,
    failing: Option<String>,
}

impl<'w> Watch<'w> {
    fn new(settings: &'w Settings, board: &'w Board) -> Self {
        let source = |collector| Source::new(&settings.name, "", collector);
        Watch {
            settings,
            board,
            client: None,
            alive: source(LIVENESS),
            node: source(NODE),
            cluster: source(CLUSTER),
            report: source(REPORT),
            failing: None,
        }
    }

    async fn read(&mut self) {
        let begun = Instant::now();
        let answer = self.ask().await;
        let (at, took) = (Timestamp::now(), begun.elapsed());
        self.board
            .publish(&self.alive, at, took, vec![up(answer.is_ok())], 0);
        match answer {
            Ok(node) => {
                self.publish(&self.node, took, Ok(node.samples()));
                let begun = Instant::now();
                let members = self.members(&node).await;
                self.note(members.as_ref().err());
                self.publish(&self.cluster, begun.elapsed(), members);
            }
            Err(error) => {
                self.client = None;
                self.note(Some(&error));
                for source in [&self.alive, &self.node, &self.cluster] {
                    self.board.fail(source, at, took, error.clone());
                }
            }
        }
    }

    async fn ask(&mut self) -> Result<Node, String> {
        let client = match self.client.take() {
            Some(client) => client,
            None => Client::new(self.settings)?,
        };
        self.client.insert(client).node().await
    }

    async fn members(&self, node: &Node) -> Result<Vec<Sample>, String> {
        match &self.client {
            Some(client) => Ok(client.cluster().await?.samples(&node.patroni.scope)),
            None => Ok(Vec::new()),
        }
    }

    fn publish(&self, source: &Source, took: Duration, outcome: Result<Vec<Sample>, String>) {
        let at = Timestamp::now();
        match outcome {
            Ok(samples) => self.board.publish(source, at, took, samples, 0),
            Err(error) => self.board.fail(source, at, took, error),
        }
    }

    /// How the readings went, as it is told of every source.
    fn tell(&self) {
        let statuses = self.board.statuses_of(&self.settings.name);
        let readings = statuses
            .iter()
            .filter(|status| [NODE, CLUSTER].contains(&&*status.source.collector));
        let samples = readings.flat_map(self_metrics).collect();
        self.publish(&self.report, Duration::ZERO, Ok(samples));
    }

    /// Logs when reading begins or ceases to fail.
    fn note(&mut self, error: Option<&String>) {
        match (&self.failing, error) {
            (None, Some(error)) => {
                tracing::warn!(server.name = %self.settings.name, error, "Patroni cannot be read");
            }
            (Some(_), None) => {
                tracing::info!(server.name = %self.settings.name, "Patroni can be read again");
            }
            _ => {}
        }
        self.failing = error.cloned();
    }
}
