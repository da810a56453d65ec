//! A message as an Alertmanager's webhook writes it, version 4 of its payload, for whatever takes those. The thread is
//! its group: what fires of it is repeated in every message.

use ring::digest::{SHA256, digest};
use serde_json::{Map, Value, json};

use super::message::{Incident, Message};
use super::{Context, alertmanager};
use crate::incident::Evidence;
use crate::sample::Labels;

/// The end of what has none, as Go writes its zero time.
const NO_END: &str = "0001-01-01T00:00:00Z";

/// The group of a message: the thread that it continues, or the one that it begins.
pub(super) fn group(message: &Message) -> String {
    match (message.thread.as_str(), message.incidents.first()) {
        ("", Some(first)) => format!("pgvigil/{{incident=\"{}\"}}", first.id),
        (thread, _) => thread.to_owned(),
    }
}

/// The payload, with at most so many alerts; 0 is no limit.
pub(super) fn payload(message: &Message, receiver: &str, context: &Context, most: usize) -> Value {
    let firing = message.others.iter().filter(|other| !other.resolved);
    let all: Vec<&Incident> = message.incidents.iter().chain(firing).collect();
    let fires = all.iter().any(|incident| !incident.resolved);
    let kept = if most == 0 {
        all.len()
    } else {
        most.min(all.len())
    };
    let labels = |incident: &&Incident| context.external_labels.merged(&incident.alert.labels);
    let labels: Vec<Labels> = all[..kept].iter().map(labels).collect();
    let alerts = all[..kept].iter().zip(&labels);
    let common_labels = common(&labels, Labels::iter);
    let common_annotations = common(&all[..kept], |incident| {
        let notes = incident.alert.annotations.iter();
        notes.map(|(name, text)| (name.as_str(), text.as_str()))
    });
    let name = common_labels.get("alertname");
    json!({
        "receiver": receiver,
        "status": status(!fires),
        "alerts": alerts.map(|(incident, labels)| alert(incident, labels, context)).collect::<Vec<_>>(),
        "groupLabels": name.map(|name| json!({"alertname": name})).unwrap_or_else(|| json!({})),
        "commonLabels": common_labels,
        "commonAnnotations": common_annotations,
        "externalURL": context.external_url,
        "version": "4",
        "groupKey": group(message),
        "truncatedAlerts": all.len() - kept,
        "notification_reason": reason(message),
    })
}

/// The same for every try at a message, also after a restart; another one for every other message.
pub(super) fn key(message: &Message) -> String {
    let keys: Vec<String> = message.incidents.iter().map(key_of).collect();
    match keys.as_slice() {
        [one] => one.clone(),
        all => {
            let sum = digest(&SHA256, all.join(" ").as_bytes());
            let sum: String = sum.as_ref()[..8]
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            format!(
                "{}-and-{}-{sum}",
                all.first().map_or("", String::as_str),
                all.len().saturating_sub(1)
            )
        }
    }
}

fn key_of(incident: &Incident) -> String {
    let before = incident.told.as_ref().map(|told| format!("-{}", told.at.0));
    let after = before.unwrap_or_default();
    format!("{}-{}{after}", incident.id, status(incident.resolved))
}

fn alert(incident: &Incident, labels: &Labels, context: &Context) -> Value {
    let alert = &incident.alert;
    let starts = alert.fired_at.unwrap_or(alert.active_at);
    let ends = alert.resolved_at.filter(|_| incident.resolved);
    let mut body = json!({
        "status": status(incident.resolved),
        "labels": labels,
        "annotations": alert.annotations,
        "startsAt": starts.rfc3339(),
        "endsAt": ends.map_or_else(|| NO_END.to_owned(), |ends| ends.rfc3339()),
        "generatorURL": alertmanager::graph(alert, context).unwrap_or_default(),
        "fingerprint": format!("{:016x}", labels.fingerprint()),
        // From here on it is ours; who reads Alertmanager's passes over it.
        "incident": incident.id,
    });
    if !incident.evidence.is_empty() {
        body["evidence"] = incident.evidence.iter().map(evidence).collect();
    }
    body
}

/// What was found, as JSON.
pub(super) fn evidence(found: &Evidence) -> Value {
    let mut body = json!({
        "query": found.query,
        "title": found.title,
        "server": found.server,
        "at": found.at.rfc3339(),
        "columns": found.columns,
        "rows": found.rows,
        "more": found.more,
    });
    if !found.error.is_empty() {
        body["error"] = Value::from(found.error.as_str());
    }
    body
}

fn status(resolved: bool) -> &'static str {
    if resolved { "resolved" } else { "firing" }
}

/// As Alertmanager words it (M11).
fn reason(message: &Message) -> &'static str {
    let told = |incident: &&Incident| incident.resolved;
    let ended = message.incidents.iter().filter(told).count();
    let all_ended =
        ended == message.incidents.len() && message.others.iter().all(|other| other.resolved);
    match ended {
        _ if all_ended => "all alerts resolved",
        0 if message.thread.is_empty() => "first notification",
        0 => "repeat interval elapsed",
        _ => "some alerts resolved",
    }
}

/// The pairs that all have alike.
fn common<'a, T, I>(all: &'a [T], pairs: impl Fn(&'a T) -> I) -> Map<String, Value>
where
    I: Iterator<Item = (&'a str, &'a str)>,
{
    let Some((first, rest)) = all.split_first() else {
        return Map::new();
    };
    let shared = pairs(first).filter(|pair| {
        rest.iter()
            .all(|one| pairs(one).any(|other| other == *pair))
    });
    shared
        .map(|(name, text)| (name.to_owned(), Value::from(text)))
        .collect()
}
