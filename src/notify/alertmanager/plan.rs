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
        let last = sent.get(&incident).filter(|sent| sent.resolved == resolved);
        let at = last.map_or(Timestamp::default(), |sent| sent.at + RESEND);
        plan.alive.insert(incident.clone());
        // A moment far ahead was noted before the clock was set back.
        if at <= now || at > now + 2 * RESEND {
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
    if let Some(expression) = context.expressions.get(&alert.rule) {
        let expression = utf8_percent_encode(expression, UNESCAPED);
        let url = format!(
            "{}/graph?g0.expr={expression}&g0.tab=1",
            context.external_url
        );
        body["generatorURL"] = Value::from(url);
    }
    body
}
