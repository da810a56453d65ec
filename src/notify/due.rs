//! What one address should be told now. Pure: a function of the book, the policy and the time.

use std::collections::BTreeMap;
use std::time::Duration;

use super::inhibit::Shadows;
use super::plan::{Case, Plan};
use super::policy::{Policy, is_about};
use crate::incident::{Book, Evidence, Told};
use crate::rules::Alert;
use crate::sample::Timestamp;

/// What is due is held this long, so that rules that fire together give one message.
pub(super) const BATCH: Duration = Duration::from_secs(2);

/// A message waits no longer than this for the evidence about an incident that it tells of for the first time.
pub(super) const EVIDENCE: Duration = Duration::from_secs(2);

/// An incident whose message was put off so often lets others pass, and goes alone: it may be the reason.
const PATIENCE: u32 = 3;

/// Whom the messages are for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reader<'a> {
    /// The receiver, as the policy calls it.
    pub(super) receiver: &'a str,
    /// The address, as the book calls it.
    pub(super) address: &'a str,
    /// Whether a message belongs to one thread only.
    pub(super) threads: bool,
    /// The most incidents that one message may tell of.
    pub(super) most: usize,
    /// How often a message about each incident was put off since any was taken.
    pub(super) put_off: &'a BTreeMap<String, u32>,
    /// Since when evidence about each incident is awaited.
    pub(super) awaited: &'a BTreeMap<String, Timestamp>,
}

impl Reader<'_> {
    /// How far others should pass the incident; usually not at all.
    fn stuck(&self, item: &Item) -> u32 {
        let count = self.put_off.get(&item.incident).copied();
        count.unwrap_or_default().saturating_sub(PATIENCE - 1)
    }
}

/// What to tell, and when to look again.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Due {
    /// The next message, when there is one to send now.
    pub(super) letter: Option<Letter>,
    /// When the next one will be, if nothing else happens.
    pub(super) next: Option<Timestamp>,
    /// Incidents that wait to be told.
    pub(super) waiting: usize,
    /// Since when the first of these waits.
    pub(super) oldest: Option<Timestamp>,
}

/// The content of one message.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Letter {
    /// The incidents it tells of.
    pub(super) items: Vec<Item>,
    /// The thread it continues; empty when it begins one.
    pub(super) thread: String,
    /// The subject of that thread.
    pub(super) subject: String,
    /// The alerts of that thread which it does not tell of, as they are now.
    pub(super) others: Vec<Alert>,
}

/// One incident in a message.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Item {
    /// The incident's id.
    pub(super) incident: String,
    /// The alert as it is now.
    pub(super) alert: Alert,
    /// What there is to tell.
    pub(super) reason: Reason,
    /// What was found when it opened.
    pub(super) evidence: Vec<Evidence>,
    /// What the address was told of it before.
    pub(super) told: Option<Told>,
}

/// What there is to tell of an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reason {
    /// It fires.
    Opened,
    /// It still fires.
    Repeated,
    /// It ended.
    Resolved,
}

/// What `reader` should be told at `now`, when messages are held for `batch`.
pub(super) fn due(
    book: &Book,
    policy: &Policy,
    reader: &Reader,
    now: Timestamp,
    batch: Duration,
) -> Due {
    let mut planned = planned(book, policy, reader, now, batch);
    planned.sort_by_key(|(plan, _)| plan.at);
    let ready = planned.iter().map(|(plan, _)| plan.ready).min();
    planned.retain(|(plan, _)| plan.at <= now);
    let oldest = planned.first().map(|(plan, _)| plan.at);
    // Whoever opens meanwhile cannot put it off for ever.
    let late = oldest.map(|oldest| oldest + batch + EVIDENCE);
    let complete = waits_until(book, reader, &planned, now).min(late);
    let ready = ready.map(|ready| complete.map_or(ready, |complete| complete.max(ready)));
    let mut due = Due {
        letter: None,
        next: ready,
        waiting: planned.len(),
        oldest,
    };
    if ready.is_some_and(|ready| ready <= now) {
        let items = planned.into_iter().map(|(_, item)| item).collect();
        due.letter = Some(letter(book, reader, items));
        due.next = None;
    }
    due
}

fn planned(
    book: &Book,
    policy: &Policy,
    reader: &Reader,
    now: Timestamp,
    batch: Duration,
) -> Vec<(Plan, Item)> {
    let shadows = Shadows::of(book, &policy.inhibitions);
    let mut planned = Vec::new();
    for alert in book.firing().chain(&book.ended) {
        let Some(incident) = alert.incident() else {
            continue;
        };
        let told = book.told(&incident, reader.address);
        let case = Case {
            alert,
            told,
            route: None,
            acknowledged: book.acknowledged.contains_key(&incident),
            joined: book.receivers.get(reader.address).copied(),
            reopened: reopened(book, alert),
            batch,
            now,
        };
        // The end of what was announced needs no way on which it might be announced.
        let ended = told.is_some() && alert.resolved_at.is_some();
        let routes = if is_about(alert, reader.receiver, reader.address) || shadows.hide(alert) {
            Vec::new()
        } else {
            policy.routes(reader.receiver, &alert.labels, book)
        };
        let plans = routes.iter().filter_map(|route| {
            let route = Some(route);
            Case { route, ..case }.plan()
        });
        let plan = plans.min_by_key(|plan| plan.ready);
        if let Some(plan) = plan.or_else(|| case.plan().filter(|_| ended)) {
            let item = Item {
                evidence: evidence(book, &incident, plan.reason, told),
                incident,
                alert: alert.clone(),
                reason: plan.reason,
                told: told.cloned(),
            };
            planned.push((plan, item));
        }
    }
    planned
}

/// Until when the evidence about what is due is worth waiting for.
fn waits_until(
    book: &Book,
    reader: &Reader,
    due: &[(Plan, Item)],
    now: Timestamp,
) -> Option<Timestamp> {
    let opened = due.iter().filter(|(_, item)| {
        item.reason == Reason::Opened && !book.evidence.contains_key(&item.incident)
    });
    let asked = opened.filter_map(|(_, item)| reader.awaited.get(&item.incident));
    // What was asked for in the future was asked for before the clock was set back.
    asked
        .filter(|asked| **asked <= now)
        .map(|asked| *asked + EVIDENCE)
        .max()
}

/// What there is to show: of an incident that ended only what came too late for the messages before.
fn evidence(book: &Book, incident: &str, reason: Reason, told: Option<&Told>) -> Vec<Evidence> {
    let found = book.evidence.get(incident).into_iter().flatten();
    let is_news = |found: &&Evidence| {
        reason != Reason::Resolved || told.is_none_or(|told| told.at < found.at)
    };
    found.filter(is_news).cloned().collect()
}

/// Of what is due, that which belongs into one message with the oldest.
fn letter(book: &Book, reader: &Reader, mut items: Vec<Item>) -> Letter {
    let thread_of = |item: &Item| {
        let told = book.told(&item.incident, reader.address);
        told.map(|told| (told.thread.clone(), told.subject.clone()))
            .unwrap_or_default()
    };
    items.sort_by_key(|item| reader.stuck(item));
    let (thread, subject) = items.first().map(thread_of).unwrap_or_default();
    let stuck = items.first().is_some_and(|first| reader.stuck(first) > 0);
    if stuck {
        items.truncate(1);
    } else {
        items.retain(|item| reader.stuck(item) == 0);
    }
    if reader.threads {
        items.retain(|item| thread_of(item).0 == thread);
    }
    // The others stay due.
    items.truncate(reader.most);
    Letter {
        others: others(book, reader, &items, &thread),
        items,
        thread,
        subject,
    }
}

fn others(book: &Book, reader: &Reader, items: &[Item], thread: &str) -> Vec<Alert> {
    if thread.is_empty() {
        return Vec::new();
    }
    let announced = book.told.iter().filter(|((incident, address), told)| {
        address == reader.address
            && told.thread == thread
            && items.iter().all(|item| item.incident != *incident)
    });
    announced
        .filter_map(|((incident, _), _)| book.incident(incident).cloned())
        .collect()
}

fn reopened(book: &Book, alert: &Alert) -> bool {
    let key = (alert.rule.clone(), alert.labels.clone());
    let now = book.alerts.get(&key);
    now.is_some_and(|now| now.resolved_at.is_none() && now.fired_at > alert.fired_at)
}
