//! Evaluates rule groups at their slots and carries the results: samples to the store, transitions to the incident log.

use std::sync::Arc;
use std::time::Instant;

use tokio_util::sync::CancellationToken;

use super::evidence::Inquiries;
use super::turn::{Slots, Turn};
use crate::incident::Ledger;
use crate::rules::{self, Group, Rule, RuleStatus, Statuses};
use crate::sample::{Labels, Timestamp};
use crate::scrape::Board;
use crate::store::Store;

/// A recording rule is fresh for as many intervals of its group after its last result.
const LIFETIME: u32 = 3;

/// What every group is evaluated with.
pub(super) struct Watch {
    pub(super) board: Arc<Board>,
    pub(super) store: Arc<Store>,
    pub(super) ledger: Arc<Ledger>,
    pub(super) inquiries: Arc<Inquiries>,
    pub(super) statuses: Arc<Statuses>,
    pub(super) external_labels: Labels,
    pub(super) external_url: String,
    /// Groups that are due at once take turns: each that blocks a thread calls for another, and a thread keeps memory.
    pub(super) turn: tokio::sync::Mutex<()>,
}

/// What a rule left behind at its last evaluation.
#[derive(Default)]
struct Trace {
    series: Vec<Labels>,
    failed: bool,
}

impl Trace {
    /// Logs where errors begin and where they end.
    fn note(&mut self, rule: &Rule, error: Option<&String>) {
        let (group, name) = (&rule.key.group, &rule.name);
        match error {
            Some(error) if !self.failed => {
                tracing::warn!(rule.group = %group, rule.name = %name, "rule has no result and changes nothing: {error}");
            }
            None if self.failed => {
                tracing::info!(rule.group = %group, rule.name = %name, "rule has a result again");
            }
            _ => {}
        }
        self.failed = error.is_some();
    }
}

impl Watch {
    /// Makes the recording rules known as sources, before the first alert waits for one of them.
    pub(super) fn declare(&self, group: &Group) {
        for source in group.rules.iter().filter_map(Rule::source) {
            self.board.declare(&source, group.interval, LIFETIME);
        }
    }

    /// Evaluates one group at each of its slots until told to stop.
    pub(super) async fn run(self: Arc<Self>, group: Group, stop: CancellationToken) {
        let mut slots = Slots::after(Timestamp::now());
        let mut traces: Vec<Trace> = group.rules.iter().map(|_| Trace::default()).collect();
        loop {
            let wait = slots.next(&group).since(Timestamp::now());
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
            }
            if let Some(due) = slots.due(&group, Timestamp::now()) {
                let _turn = self.turn.lock().await;
                tokio::task::block_in_place(|| self.evaluate(&group, due, &mut traces));
            }
        }
    }

    fn evaluate(&self, group: &Group, due: rules::Due, traces: &mut [Trace]) {
        let started = Instant::now();
        let turn = Turn {
            store: &self.store,
            ledger: &self.ledger,
            external_labels: &self.external_labels,
            external_url: &self.external_url,
            retired: &|source| self.board.retired(source),
            fresh: &|source, slot| self.board.fresh(source, slot),
            turned: &|transitions| self.inquiries.ask(transitions),
        };
        let mut statuses = Vec::with_capacity(group.rules.len());
        for (rule, trace) in group.rules.iter().zip(traces) {
            let (begun, at) = (Instant::now(), Timestamp::now());
            let result = turn.evaluate(rule, group, due.slot, &trace.series);
            let took = begun.elapsed();
            if let Some(source) = rule.source() {
                match &result {
                    Ok(_) => self.board.publish(&source, due.slot, took, Vec::new(), 0),
                    Err(error) => self.board.fail(&source, due.slot, took, error.clone()),
                }
            }
            trace.note(rule, result.as_ref().err());
            let result = result.map(|evaluation| trace.series = turn.carry(evaluation));
            statuses.push(RuleStatus {
                begun: at,
                took,
                error: result.err(),
            });
        }
        self.statuses
            .evaluated(group, due, started.elapsed(), statuses);
    }
}
