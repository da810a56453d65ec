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

/// The payload, with at most so many alerts.
pub(super) fn payload(message: &Message, receiver: &str, context: &Context, most: usize) -> Value {
    let firing = message.others.iter().filter(|other| !other.resolved);
    let all: Vec<&Incident> = message.incidents.iter().chain(firing).collect();
    let fires = all.iter().any(|incident| !incident.resolved);
    let kept = most.min(all.len());
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
        "startsAt": starts.rfc3339_short(),
        "endsAt": ends.map_or_else(|| NO_END.to_owned(), |ends| ends.rfc3339_short()),
        "generatorURL": alertmanager::graph(alert, context).unwrap_or_default(),
        "fingerprint": format!("{:016x}", labels.fingerprint()),
        // From here on it is ours; who reads Alertmanager's passes over it.
        "incident": incident.id,
    });
    if !incident.silence.is_empty() {
        body["silenceURL"] = Value::from(incident.silence.as_str());
    }
    if !incident.evidence.is_empty() {
        body["evidence"] = incident.evidence.iter().map(evidence).collect();
    }
    body
}

/// What was found, as JSON: texts without the blanks by which a tree is drawn for people, and where there is one how deep
/// in it each row is.
pub(super) fn evidence(found: &Evidence) -> Value {
    let rows: Vec<Vec<&str>> = found
        .rows
        .iter()
        .map(|row| row.iter().map(|text| text.trim()).collect())
        .collect();
    let depths: Vec<usize> = found.rows.iter().map(|row| depth(row)).collect();
    let mut body = json!({
        "query": found.query,
        "title": found.title,
        "server": found.server,
        "at": found.at.rfc3339(),
        "columns": found.columns,
        "rows": rows,
        "more": found.more,
    });
    if depths.iter().any(|depth| *depth > 0) {
        body["depths"] = Value::from(depths);
    }
    if !found.error.is_empty() {
        body["error"] = Value::from(found.error.as_str());
    }
    body
}

/// How deep in a tree: two blanks before the first text for each step.
fn depth(row: &[String]) -> usize {
    let first = row.first().map_or("", String::as_str);
    (first.len() - first.trim_start_matches(' ').len()) / 2
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::Told;
    use crate::notify::due::{Item, Letter, Reason};
    use crate::notify::message::compose;
    use crate::notify::trial;
    use crate::sample::Timestamp;

    fn message(reasons: &[Reason], others: usize, told: Option<i64>) -> Message {
        let alert = |place: usize| {
            let mut alert = trial::alert(Timestamp(0));
            alert.labels = alert.labels.with("place", &place.to_string());
            alert
        };
        let told = told.map(|at| Told {
            at: Timestamp(at),
            resolved: false,
            thread: "t".into(),
            subject: String::new(),
            error: String::new(),
        });
        let item = |(place, reason): (usize, &Reason)| Item {
            incident: format!("i{place}"),
            alert: alert(place),
            reason: *reason,
            evidence: Vec::new(),
            told: told.clone(),
        };
        let letter = Letter {
            items: reasons.iter().enumerate().map(item).collect(),
            thread: told
                .as_ref()
                .map_or(String::new(), |told| told.thread.clone()),
            others: (10..10 + others).map(alert).collect(),
            ..Letter::default()
        };
        compose(&letter, &Context::default(), Timestamp(0))
    }

    #[test]
    fn each_message_has_a_reason_and_a_key_of_its_own() {
        use Reason::{Opened, Repeated, Resolved};
        let cases = [
            (
                message(&[Opened], 0, None),
                "first notification",
                "i0-firing",
            ),
            (
                message(&[Repeated], 0, Some(7)),
                "repeat interval elapsed",
                "i0-firing-7",
            ),
            (
                message(&[Resolved], 1, Some(7)),
                "some alerts resolved",
                "i0-resolved-7",
            ),
            (
                message(&[Resolved], 0, Some(9)),
                "all alerts resolved",
                "i0-resolved-9",
            ),
            // It was over before it could be told.
            (
                message(&[Resolved], 0, None),
                "all alerts resolved",
                "i0-resolved",
            ),
        ];
        for (message, expected, expected_key) in cases {
            assert_eq!(
                (reason(&message), key(&message)),
                (expected, expected_key.to_owned())
            );
        }
        let two = key(&message(&[Opened, Opened], 0, None));
        assert!(
            two.starts_with("i0-firing-and-1-") && two.len() == 32,
            "{two}"
        );
        assert_eq!(two, key(&message(&[Opened, Opened], 0, None)));
        assert_ne!(two, key(&message(&[Opened, Resolved], 0, None)));
    }

    #[test]
    fn a_tree_has_clean_texts_and_depths() {
        let found = evidence(&trial::evidence(Timestamp(0)));
        assert_eq!(found["rows"][1][0], "4243");
        assert_eq!(found["depths"], json!([0, 1]));
    }

    #[test]
    fn an_alert_has_a_link_to_silence_it_where_there_is_one() {
        let mut message = message(&[Reason::Opened, Reason::Opened], 0, None);
        message.incidents[0].silence = "https://pgvigil.example/silence?incident=i0".into();
        let body = payload(&message, "r", &Context::default(), 2);
        let alerts = &body["alerts"];
        let link = "https://pgvigil.example/silence?incident=i0";
        assert_eq!(alerts[0]["silenceURL"], link);
        assert_eq!(alerts[1].get("silenceURL"), None);
    }

    #[test]
    fn what_has_no_room_is_counted() {
        let message = message(&[Reason::Repeated], 3, Some(7));
        let body = payload(&message, "r", &Context::default(), 2);
        assert_eq!(
            (
                body["alerts"].as_array().unwrap().len(),
                &body["truncatedAlerts"]
            ),
            (2, &json!(2))
        );
        assert_eq!(
            (&body["groupKey"], &body["commonLabels"]["instance"]),
            (&json!("t"), &json!("pgvigil"))
        );
    }
}
