//! The fold over the log: alerts as they are now, what ended lately, and who has been told what.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use super::{Acknowledgement, Delivery, Event, Evidence, Silence};
use crate::rules::{Alert, AlertState, Change, RuleKey, Transition};
use crate::sample::{Labels, Timestamp};

/// How many ended incidents are kept when nobody is owed word of their end.
const ENDED_KEPT: usize = 200;

/// How many are kept at most: a receiver that takes nothing for so long is not told of older ones any more, and they are
/// listed among what was given up.
const OWED_KEPT: usize = 2_000;

/// Of how many incidents the evidence is kept: that of those with the oldest gives way.
const EVIDENCE_KEPT: usize = 300;

/// How many messages that were given up are kept.
const DEAD_KEPT: usize = 100;

/// How many silences are kept: the oldest of those that are over when another was last changed give way.
const SILENCES_KEPT: usize = 500;

/// What one receiver has been told about one incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Told {
    /// When it was last told, or a message to it was last given up.
    pub at: Timestamp,
    /// Whether that message told of the end.
    pub resolved: bool,
    /// The thread the incident was announced in.
    pub thread: String,
    /// The subject of that thread.
    pub subject: String,
    /// Why it could not be told, when that message was given up.
    pub error: String,
}

/// What is folded from the log. Only [`Book::apply`] changes it, but for values that are not worth a line.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Book {
    /// Every alert not yet forgotten, by rule and labels.
    pub alerts: BTreeMap<(RuleKey, Labels), Alert>,
    /// What each receiver was told, by incident and receiver.
    pub told: BTreeMap<(String, String), Told>,
    /// Incidents that ended, oldest first: the latest, and older ones whose end somebody is still owed.
    pub ended: VecDeque<Alert>,
    /// Since when each receiver is told anything.
    pub receivers: BTreeMap<String, Timestamp>,
    /// Silences by id, also those that are over.
    pub silences: BTreeMap<String, Silence>,
    /// Who looks after which incident, open or ended, by its id.
    pub acknowledged: BTreeMap<String, Acknowledgement>,
    /// What was found about incidents, open or ended, by their ids.
    pub evidence: BTreeMap<String, Vec<Evidence>>,
    /// Messages that were refused for good, oldest first.
    pub dead: VecDeque<Delivery>,
    known: BTreeSet<String>,
}

impl Book {
    /// Takes one event into account.
    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::Alert(transition) => self.turn(transition),
            Event::Delivered(delivery) => self.tell(delivery),
            Event::Failed(delivery) => {
                self.tell(delivery);
                self.bury(delivery);
            }
            Event::Silenced(silence) => self.silence(silence),
            Event::Acknowledged(word) if self.known.contains(&word.incident) => {
                self.acknowledged
                    .insert(word.incident.clone(), word.clone());
            }
            Event::Evidence { incident, found } if self.known.contains(incident) => {
                let found = found.iter().map(Evidence::within_bounds).collect();
                self.evidence.insert(incident.clone(), found);
                self.drop_oldest_evidence();
            }
            // About an incident that is long forgotten.
            Event::Acknowledged(_) | Event::Evidence { .. } => {}
            Event::Foreign => {}
            Event::Told {
                incident,
                receiver,
                told,
            } => {
                let key = (incident.clone(), receiver.clone());
                self.told.insert(key, told.clone());
            }
            Event::Receivers { at, names } => self.settle(*at, names),
            Event::Ended { alert, told } => self.recall(alert, told),
        }
    }

    /// The alerts that are firing: the open incidents.
    pub fn firing(&self) -> impl Iterator<Item = &Alert> {
        self.alerts
            .values()
            .filter(|alert| alert.state == AlertState::Firing)
    }

    /// The alert of an incident, open or ended.
    pub fn incident(&self, id: &str) -> Option<&Alert> {
        if !self.known.contains(id) {
            return None;
        }
        self.firing()
            .chain(&self.ended)
            .find(|alert| alert.incident().as_deref() == Some(id))
    }

    /// What a receiver was told about an incident.
    pub fn told(&self, incident: &str, receiver: &str) -> Option<&Told> {
        self.told.get(&(incident.to_owned(), receiver.to_owned()))
    }

    /// The silence that keeps an alert with these labels from being told of, if one does.
    pub fn silenced(&self, labels: &Labels, now: Timestamp) -> Option<&Silence> {
        self.silences
            .values()
            .find(|silence| silence.mutes(labels, now))
    }

    /// Replaces what may change at every evaluation of an alert that is pending or firing: value, annotations, when it
    /// was last seen.
    pub fn refresh(&mut self, alert: Alert) {
        let key = (alert.rule.clone(), alert.labels.clone());
        let Some(known) = self.alerts.get_mut(&key) else {
            return;
        };
        if known.active_at == alert.active_at && known.state == alert.state {
            *known = alert;
        }
    }

    fn turn(&mut self, transition: &Transition) {
        let alert = &transition.alert;
        let key = (alert.rule.clone(), alert.labels.clone());
        let before = self.alerts.remove(&key);
        if let Some(before) = before.filter(|before| before.state == AlertState::Firing)
            && before.incident() != alert.incident()
        {
            self.end(before, transition.at);
        }
        let over = transition.change == Change::Forgotten;
        match alert.state {
            AlertState::Resolved if transition.change == Change::Resolved => {
                self.end(alert.clone(), transition.at);
            }
            AlertState::Firing if over => self.end(alert.clone(), transition.at),
            AlertState::Firing => self.known.extend(alert.incident()),
            AlertState::Pending | AlertState::Resolved => {}
        }
        if !over {
            self.alerts.insert(key, alert.clone());
        }
    }

    fn end(&mut self, mut alert: Alert, at: Timestamp) {
        let Some(id) = alert.incident() else { return };
        let again =
            |ended: &Alert| ended.fired_at == alert.fired_at && ended.labels == alert.labels;
        if self.known.contains(&id) && self.ended.iter().any(again) {
            return;
        }
        alert.state = AlertState::Resolved;
        alert.resolved_at.get_or_insert(at);
        self.known.insert(id);
        self.ended.push_back(alert);
        // The others that are more than are kept have been looked at, and somebody is owed word of them.
        if let Some(newest) = self.surplus().checked_sub(1) {
            self.forget_unless_owed(newest);
        }
        while self.ended.len() > OWED_KEPT {
            self.give_up_oldest();
        }
    }

    /// How many ended incidents, from the oldest on, are only kept because somebody is owed word of them.
    fn surplus(&self) -> usize {
        self.ended.len().saturating_sub(ENDED_KEPT)
    }

    fn forget_unless_owed(&mut self, place: usize) {
        let id = self.ended.get(place).and_then(Alert::incident);
        let owed = |id: &String| self.told_of(id).values().any(|told| !told.resolved);
        if id.is_some_and(|id| !owed(&id)) {
            self.forget(place);
        }
    }

    /// Forgets an ended incident by its place, and all that is known of it.
    fn forget(&mut self, place: usize) {
        let id = self.ended.remove(place).and_then(|alert| alert.incident());
        let id = id.unwrap_or_default();
        for receiver in self.told_of(&id).into_keys() {
            self.told.remove(&(id.clone(), receiver));
        }
        self.known.remove(&id);
        self.acknowledged.remove(&id);
        self.evidence.remove(&id);
    }

    fn give_up_oldest(&mut self) {
        let Some(oldest) = self.ended.front() else {
            return;
        };
        let id = oldest.incident().unwrap_or_default();
        let at = oldest.resolved_at.unwrap_or(oldest.last_seen);
        let owed = self.told_of(&id).into_iter();
        for (receiver, told) in owed.filter(|(_, told)| !told.resolved) {
            self.bury(&Delivery {
                receiver,
                at,
                incidents: vec![(id.clone(), true)],
                thread: told.thread,
                subject: told.subject,
                error: format!("more than {OWED_KEPT} ended incidents wait to be told"),
            });
        }
        self.forget(0);
    }

    fn drop_oldest_evidence(&mut self) {
        while self.evidence.len() > EVIDENCE_KEPT {
            let age = |found: &[Evidence]| found.iter().map(|found| found.at).max();
            let all = self.evidence.iter();
            let Some((oldest, _)) = all.min_by_key(|(_, found)| age(found)) else {
                return;
            };
            let oldest = oldest.clone();
            self.evidence.remove(&oldest);
        }
    }

    fn tell(&mut self, delivery: &Delivery) {
        for (incident, resolved) in &delivery.incidents {
            if !self.known.contains(incident) {
                continue;
            }
            let key = (incident.clone(), delivery.receiver.clone());
            // The first message that arrived began the thread; later ones only continue it.
            let begun = self.told.get(&key).filter(|told| !told.thread.is_empty());
            let (thread, subject) = begun.map_or_else(
                || (delivery.thread.clone(), delivery.subject.clone()),
                |told| (told.thread.clone(), told.subject.clone()),
            );
            let told = Told {
                at: delivery.at,
                resolved: *resolved,
                thread,
                subject,
                error: delivery.error.clone(),
            };
            self.told.insert(key, told);
            let named = |alert: &Alert| alert.incident().as_ref() == Some(incident);
            let mut kept_for_this = self.ended.range(..self.surplus());
            if *resolved && let Some(place) = kept_for_this.position(named) {
                self.forget_unless_owed(place);
            }
        }
    }

    fn bury(&mut self, delivery: &Delivery) {
        self.dead.push_back(delivery.clone());
        let surplus = self.dead.len().saturating_sub(DEAD_KEPT);
        self.dead.drain(..surplus);
    }

    fn silence(&mut self, silence: &Silence) {
        self.silences.insert(silence.id.clone(), silence.clone());
        while self.silences.len() > SILENCES_KEPT {
            let over = self.silences.values();
            let over = over.filter(|old| old.ends_at <= silence.updated_at);
            let Some(oldest) = over.min_by_key(|old| old.ends_at) else {
                return;
            };
            let id = oldest.id.clone();
            self.silences.remove(&id);
        }
    }

    fn settle(&mut self, at: Timestamp, names: &[String]) {
        self.receivers.retain(|name, _| names.contains(name));
        self.told
            .retain(|(_, receiver), _| names.contains(receiver));
        for name in names {
            self.receivers.entry(name.clone()).or_insert(at);
        }
        for place in (0..self.surplus()).rev() {
            self.forget_unless_owed(place);
        }
    }

    fn recall(&mut self, alert: &Alert, told: &BTreeMap<String, Told>) {
        let Some(id) = alert.incident() else { return };
        for (receiver, told) in told {
            self.told
                .insert((id.clone(), receiver.clone()), told.clone());
        }
        self.end(alert.clone(), alert.last_seen);
    }

    /// What every receiver was told about an incident.
    pub(super) fn told_of(&self, incident: &str) -> BTreeMap<String, Told> {
        let first = (incident.to_owned(), String::new());
        let entries = self
            .told
            .range(first..)
            .take_while(|((id, _), _)| id == incident);
        entries
            .map(|((_, receiver), told)| (receiver.clone(), told.clone()))
            .collect()
    }
}
