//! Which alerts an Alertmanager should be sent now, and how each is written. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::incident::Book;
use crate::notify::Context;
use crate::notify::policy::WATCHDOG;
use crate::rules::Alert;
use crate::sample::{Labels, Timestamp};

/// What fires is sent again after this long, as Prometheus does.
const RESEND: Duration = Duration::from_secs(60);

/// An alert that it finds malformed is offered again after this long.
const REFUSED: Duration = Duration::from_secs(3600);

/// What ended is sent again for this long, as Prometheus does; what was not taken by then, until it is.
const RESOLVED_KEPT: Duration = Duration::from_secs(15 * 60);

/// So far ahead lies the end of what fires: our death is not an all-clear.
const OPEN_END: Duration = Duration::from_secs(24 * 3600);

/// But for the alert whose ending says just that we are dead.
const WATCHDOG_END: Duration = Duration::from_secs(4 * 60);

const UNESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// When an incident was last taken, and in which state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) at: Timestamp,
    pub(super) resolved: bool,
}

/// One alert to send.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Parcel {
    pub(super) incident: String,
    pub(super) resolved: bool,
    /// Whether the log does not know yet that it was sent in this state.
    pub(super) is_news: bool,
    pub(super) labels: Labels,
    pub(super) body: Value,
}

/// What to send, and when to look again.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) parcels: Vec<Parcel>,
    pub(super) next: Option<Timestamp>,
    /// Incidents that may have to be sent again.
    pub(super) alive: BTreeSet<String>,
}

impl Plan {
    /// Incidents of whose state the Alertmanager has not heard.
    pub(super) fn unheard(&self) -> u64 {
        self.parcels.iter().filter(|parcel| parcel.is_news).count() as u64
    }
}

/// What `address` should be sent at `now`. Ended alerts come first, so that one that fires again is seen to have ended.
pub(super) fn plan(
    book: &Book,
    address: &str,
    sent: &BTreeMap<String, Sent>,
    context: &Context,
    now: Timestamp,
) -> Plan {
    let firing: BTreeSet<&Labels> = book.firing().map(|alert| &alert.labels).collect();
    let mut plan = Plan::default();
    for alert in book.ended.iter().chain(book.firing()) {
        let Some(incident) = alert.incident() else {
            continue;
        };
        let resolved = alert.resolved_at.is_some();
        let told = book.told(&incident, address);
        let is_news = told.is_none_or(|told| told.resolved != resolved || !told.error.is_empty());
        if let Some(ended) = alert.resolved_at {
            let owed = told.is_some_and(|told| !told.resolved);
            let recent = now.since(ended) <= RESOLVED_KEPT && !firing.contains(&alert.labels);
            if !owed && !recent {
                continue;
            }
        }
        let refused = told.filter(|told| told.resolved == resolved && !told.error.is_empty());
        let last = sent.get(&incident).filter(|sent| sent.resolved == resolved);
        let (last, pause) = match refused {
            Some(told) => (Some(told.at), REFUSED),
            None => (last.map(|sent| sent.at), RESEND),
        };
        let at = last.map_or(Timestamp::default(), |last| last + pause);
        plan.alive.insert(incident.clone());
        // A moment ahead was noted before the clock was set back.
        if at <= now || last.is_some_and(|last| last > now + RESEND) {
            plan.parcels.push(Parcel {
                incident,
                resolved,
                is_news,
                labels: alert.labels.clone(),
                body: body(alert, context, now),
            });
        } else {
            plan.next = Some(plan.next.map_or(at, |next| next.min(at)));
        }
    }
    plan
}

/// An alert as the v2 API takes it.
pub(in crate::notify) fn body(alert: &Alert, context: &Context, now: Timestamp) -> Value {
    let starts = alert.fired_at.unwrap_or(alert.active_at);
    let open_end = match alert.labels.get("alertname") {
        WATCHDOG => WATCHDOG_END,
        _ => OPEN_END,
    };
    let ends = alert.resolved_at.unwrap_or(now + open_end);
    let mut body = json!({
        "labels": context.external_labels.merged(&alert.labels),
        "annotations": alert.annotations,
        "startsAt": starts.rfc3339(),
        "endsAt": ends.rfc3339(),
    });
    if let Some(graph) = graph(alert, context) {
        body["generatorURL"] = Value::from(graph);
    }
    body
}

/// Where the rule's expression can be looked at (A5); `None` when that has no known address.
pub(in crate::notify) fn graph(alert: &Alert, context: &Context) -> Option<String> {
    let expression = context.expressions.of(alert)?;
    let expression = utf8_percent_encode(&expression, UNESCAPED);
    let place = Some(&context.external_url).filter(|url| !url.is_empty())?;
    Some(format!("{place}/graph?g0.expr={expression}&g0.tab=1"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::{Delivery, Event};
    use crate::notify::{Expressions, trial};
    use crate::rules::{AlertState, Change, Transition};

    const MINUTE: i64 = 60_000;

    /// An Alertmanager that takes everything, minute by minute.
    struct World {
        book: Book,
        sent: BTreeMap<String, Sent>,
        alert: Alert,
    }

    impl World {
        /// With an alert of this name, which fires at 0.
        fn new(name: &str) -> World {
            let mut alert = trial::alert(Timestamp(0));
            alert.labels = alert.labels.with("alertname", name);
            let mut world = World {
                book: Book::default(),
                sent: BTreeMap::new(),
                alert,
            };
            world.turn(Change::Opened, 0);
            world
        }

        fn turn(&mut self, change: Change, minute: i64) {
            let (at, alert) = (Timestamp(minute * MINUTE), self.alert.clone());
            let transition = Transition { change, at, alert };
            self.book.apply(&Event::Alert(transition));
        }

        fn end(&mut self, minute: i64) {
            self.alert.state = AlertState::Resolved;
            self.alert.resolved_at = Some(Timestamp(minute * MINUTE));
            self.turn(Change::Resolved, minute);
        }

        fn plan(&self, at: Timestamp) -> Plan {
            let context = Context {
                external_url: "https://p".into(),
                external_labels: Labels::new([("cluster", "prod"), ("severity", "none")]),
                expressions: Expressions::new(|_| Some("a > 1".to_owned())),
                ..Context::default()
            };
            plan(&self.book, "am", &self.sent, &context, at)
        }

        /// Sends what is due; an error is what it says to that.
        fn send(&mut self, at: Timestamp, error: &str) -> Vec<Parcel> {
            let plan = self.plan(at);
            for Parcel {
                incident,
                resolved,
                is_news,
                ..
            } in &plan.parcels
            {
                let resolved = *resolved;
                self.sent.insert(incident.clone(), Sent { at, resolved });
                let delivery = Delivery {
                    receiver: "am".into(),
                    at,
                    incidents: vec![(incident.clone(), resolved)],
                    thread: String::new(),
                    subject: String::new(),
                    error: error.into(),
                };
                match error {
                    _ if !is_news => {}
                    "" => self.book.apply(&Event::Delivered(delivery)),
                    _ => self.book.apply(&Event::Failed(delivery)),
                }
            }
            plan.parcels
        }

        /// The minutes at which it is sent, up to a limit.
        fn minutes(&mut self, from: i64, to: i64, error: &str) -> Vec<i64> {
            let due = |minute: &i64| !self.send(Timestamp(minute * MINUTE), error).is_empty();
            (from..=to).filter(due).collect()
        }
    }

    /// A1, and A3 to A6.
    #[test]
    fn what_fires_is_sent_each_minute_and_as_prometheus_writes_it() {
        let mut world = World::new("A");
        let first = world.send(Timestamp(1_000), "");
        assert_eq!(
            first[0].body,
            json!({
                "labels": {"alertname": "A", "cluster": "prod", "instance": "pgvigil", "severity": "info"},
                "annotations": world.alert.annotations,
                "startsAt": "1970-01-01T00:00:00.000Z",
                // A4 is different on purpose: our death is not an all-clear.
                "endsAt": "1970-01-02T00:00:01.000Z",
                "generatorURL": "https://p/graph?g0.expr=a%20%3E%201&g0.tab=1",
            })
        );
        assert_eq!(world.plan(Timestamp(1_000)).next, Some(Timestamp(61_000)));
        assert!(world.send(Timestamp(60_999), "").is_empty());
        assert_eq!(world.send(Timestamp(61_000), "").len(), 1);
        let watchdog = World::new(WATCHDOG).send(Timestamp(1_000), "");
        assert_eq!(watchdog[0].body["endsAt"], "1970-01-01T00:04:01.000Z");
    }

    /// A1 and S8: the end is sent again for a quarter of an hour, with its start (A3); one that was not taken, until it
    /// is (A2 is different on purpose).
    #[test]
    fn the_end_is_sent_for_a_quarter_of_an_hour_and_until_it_was_taken() {
        let mut world = World::new("A");
        world.minutes(0, 4, "");
        world.end(5);
        let end = world.send(Timestamp(5 * MINUTE), "");
        assert_eq!(end[0].body["startsAt"], "1970-01-01T00:00:00.000Z");
        assert_eq!(end[0].body["endsAt"], "1970-01-01T00:05:00.000Z");
        assert_eq!(world.minutes(6, 60, ""), Vec::from_iter(6..=20));

        let mut deaf = World::new("A");
        deaf.minutes(0, 4, "");
        deaf.end(5);
        let week = Timestamp(7 * 24 * 60 * MINUTE);
        assert_eq!(deaf.send(week, "").len(), 1);
        assert_eq!(deaf.plan(week + RESEND).parcels, []);
    }

    #[test]
    fn what_it_finds_malformed_is_offered_once_an_hour() {
        let mut world = World::new("A");
        assert_eq!(world.minutes(0, 150, "400"), [0, 60, 120]);
        world.end(151);
        assert_eq!(world.minutes(151, 155, ""), Vec::from_iter(151..=155));
    }

    #[test]
    fn a_clock_that_is_set_back_holds_nothing_up() {
        let mut world = World::new("A");
        world.minutes(600, 600, "");
        assert_eq!(world.minutes(0, 2, ""), [0, 1, 2]);
    }
}
