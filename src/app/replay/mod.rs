//! What would have been told: the stored history under these rules and this policy, on a virtual clock, by the code that
//! watches. Takes a store as it was, hands on the messages that everybody would have got.

mod history;

use std::collections::BTreeMap;
use std::time::Duration;

use super::turn::{Slots, Turn};
use crate::incident::Ledger;
use crate::notify::{Rehearsal, Rehearsed};
use crate::rules::{Change, Group, RuleKey};
use crate::sample::{Labels, Timestamp};
use crate::store::Store;
use history::History;

/// What is replayed.
pub struct Replay<'a> {
    /// The rules.
    pub groups: &'a [Group],
    /// Who is told.
    pub rehearsal: &'a Rehearsal,
    /// `external_labels` of the configuration.
    pub external_labels: &'a Labels,
    /// `external_url` of the configuration.
    pub external_url: &'a str,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Replayed {
    /// The messages, in their order.
    pub told: Vec<Rehearsed>,
    /// How many incidents opened.
    pub incidents: usize,
    /// How many rules were evaluated, slot by slot.
    pub evaluations: u64,
    /// Rules that had no result at some slot, each with the last reason.
    pub failed: BTreeMap<RuleKey, String>,
}

/// A group and where it stands.
struct Pace<'a> {
    group: &'a Group,
    slots: Slots,
    /// By rule, the series that it wrote last.
    series: Vec<Vec<Labels>>,
}

impl Replay<'_> {
    /// Plays the history from its begin until `to`, and keeps what happens from `from` on: so incidents that were open
    /// at `from` are known, and only what is told of them later is in the answer.
    pub fn run(&self, stored: &Store, from: Timestamp, to: Timestamp) -> Replayed {
        let mut history = History::of(stored, self.groups, to);
        let start = history.start();
        let ledger = Ledger::memory();
        ledger.record(&[self.rehearsal.joined(start)]);
        let mut paces: Vec<Pace> = self
            .groups
            .iter()
            .map(|group| Pace::of(group, start))
            .collect();
        let mut replayed = Replayed::default();
        let mut looks: Option<Timestamp> = None;
        loop {
            let slot = paces.iter().map(|pace| pace.slots.next(pace.group)).min();
            let Some(now) = slot.into_iter().chain(looks).min().filter(|now| *now <= to) else {
                return replayed;
            };
            history.feed(now);
            for pace in &mut paces {
                self.evaluate(pace, &mut history, &ledger, now, &mut replayed, from);
            }
            looks = self.tell(&ledger, now, &mut replayed, from);
        }
    }

    fn evaluate(
        &self,
        pace: &mut Pace,
        history: &mut History,
        ledger: &Ledger,
        now: Timestamp,
        replayed: &mut Replayed,
        from: Timestamp,
    ) {
        let Some(due) = pace.slots.due(pace.group, now) else {
            return;
        };
        for (rule, series) in pace.group.rules.iter().zip(&mut pace.series) {
            let turn = Turn {
                turned: &|_| (),
                store: history.store(),
                ledger,
                external_labels: self.external_labels,
                external_url: self.external_url,
                retired: &|source| history.retired(source),
                fresh: &|source, slot| history.fresh(source, slot),
            };
            replayed.evaluations += 1;
            let result = turn.evaluate(rule, pace.group, due.slot, series);
            match result {
                Ok(evaluation) => {
                    let opened = evaluation.transitions.iter();
                    let opened = opened.filter(|transition| transition.change == Change::Opened);
                    replayed.incidents += opened.filter(|opened| opened.at >= from).count();
                    *series = turn.carry(evaluation);
                    if let Some(source) = rule.source() {
                        history.store().succeeded(&source, due.slot);
                    }
                }
                Err(cause) => {
                    replayed.failed.insert(rule.key.clone(), cause.to_string());
                }
            }
        }
    }

    /// Everybody takes what is due at once; when somebody is to be told next, if nothing happens until then.
    fn tell(
        &self,
        ledger: &Ledger,
        now: Timestamp,
        replayed: &mut Replayed,
        from: Timestamp,
    ) -> Option<Timestamp> {
        let mut looks: Vec<Timestamp> = Vec::new();
        for address in self.rehearsal.addresses() {
            loop {
                let (message, next) = ledger.read(|book| self.rehearsal.due(book, address, now));
                let Some(message) = message else {
                    // What is due already, and is not told, is not to be asked for for ever.
                    looks.extend(next.map(|next| next.max(now + Duration::from_millis(1))));
                    break;
                };
                ledger.record(&[message.taken(now)]);
                if now >= from {
                    replayed.told.push(message);
                }
            }
        }
        looks.into_iter().min()
    }
}

impl<'a> Pace<'a> {
    fn of(group: &'a Group, start: Timestamp) -> Pace<'a> {
        Pace {
            group,
            slots: Slots::after(start.before(Duration::from_millis(1))),
            series: vec![Vec::new(); group.rules.len()],
        }
    }
}
