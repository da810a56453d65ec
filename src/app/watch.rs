//! Evaluates rule groups at their slots and carries the results: samples to the store, transitions to the incident log.

use std::sync::Arc;
use std::time::Instant;

use tokio_util::sync::CancellationToken;

use super::evidence::Inquiries;
use super::turn::{Slots, Turn};
use crate::incident::Ledger;
use crate::rules::{self, Group, Rule, RuleError, RuleStatus, Statuses, Trace, Traces};
use crate::sample::{Labels, STALE, Sources, Timestamp};
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
    pub(super) traces: Arc<Traces>,
    pub(super) external_labels: Labels,
    pub(super) external_url: String,
    /// Groups that are due at once take turns: each that blocks a thread calls for another, and a thread keeps memory.
    pub(super) turn: tokio::sync::Mutex<()>,
}

impl Watch {
    /// Makes the recording rules known as sources, before the first alert waits for one of them.
    pub(super) fn declare(&self, group: &Group) {
        for source in group.rules.iter().filter_map(Rule::source) {
            self.board.declare(&source, group.interval, LIFETIME);
        }
    }

    /// Marks series stale that were written by rules which are no longer in force, unless other rules have taken them
    /// over within two intervals.
    pub(super) async fn bury(self: Arc<Self>, groups: Vec<Group>, stop: CancellationToken) {
        let series = self.traces.abandoned(&groups);
        let longest = groups.iter().map(|group| group.interval).max();
        if series.is_empty() {
            return;
        }
        // At the next reload or the end there is no more waiting.
        let _ = tokio::time::timeout(longest.unwrap_or_default() * 2, stop.cancelled()).await;
        let gone = self.traces.unwritten(series);
        let markers = gone.into_iter().map(|labels| (labels, STALE));
        self.store
            .append(Timestamp::now(), &Sources::default(), markers);
    }

    /// Evaluates one group at each of its slots until told to stop. One that was evaluated before a reload goes on with
    /// the slot that follows.
    pub(super) async fn run(self: Arc<Self>, group: Group, stop: CancellationToken) {
        let now = Timestamp::now();
        let before = self.statuses.last_evaluation(&group);
        let mut slots = Slots::after(before.filter(|last| *last <= now).unwrap_or(now));
        loop {
            let wait = slots.next(&group).since(Timestamp::now());
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
            }
            if let Some(due) = slots.due(&group, Timestamp::now()) {
                let _turn = self.turn.lock().await;
                tokio::task::block_in_place(|| self.evaluate(&group, due));
            }
        }
    }

    fn evaluate(&self, group: &Group, due: rules::Due) {
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
        for rule in &group.rules {
            let mut trace = self.traces.take(rule);
            let (begun, at) = (Instant::now(), Timestamp::now());
            let result = turn.evaluate(rule, group, due.slot, &trace.series);
            let took = begun.elapsed();
            if let Some(source) = rule.source() {
                match &result {
                    Ok(_) => self.board.publish(&source, due.slot, took, Vec::new(), 0),
                    Err(error) => self.board.fail(&source, due.slot, took, error.to_string()),
                }
            }
            note(rule, &mut trace, result.as_ref().err());
            let result = result.map(|evaluation| trace.series = turn.carry(evaluation));
            self.traces.put(rule, trace);
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

/// Logs where errors begin and where they end.
fn note(rule: &Rule, trace: &mut Trace, error: Option<&RuleError>) {
    let (group, name) = (&rule.key.group, &rule.name);
    match error {
        Some(error) if !trace.failed => {
            tracing::warn!(rule.group = %group, rule.name = %name, "rule has no result and changes nothing: {error}");
        }
        None if trace.failed => {
            tracing::info!(rule.group = %group, rule.name = %name, "rule has a result again");
        }
        _ => {}
    }
    trace.failed = error.is_some();
}
