//! An incident as an event, within PagerDuty's limits: parts are left out whole, and it is said that they were.

use serde_json::{Map, Value, json};

use crate::notify::message::{Incident, Message};
use crate::notify::{payload, words};

/// Of a summary PagerDuty takes so many characters.
const SUMMARY: usize = 1_024;

/// Of an event it takes 512 KB; headers and escapes have what is left.
const EVENT: usize = 480_000;

/// Of any other text so many characters are sent.
const TEXT: usize = 8_000;

/// The names of a source, a component, a class and a group are not longer, in characters.
const NAME: usize = 250;

/// The event that tells PagerDuty how an incident stands.
pub(super) fn event(incident: &Incident, message: &Message, routing_key: &str) -> Value {
    let mut event = json!({
        "routing_key": routing_key,
        "event_action": if incident.resolved { "resolve" } else { "trigger" },
        "dedup_key": incident.id,
        "client": "pgvigil",
    });
    if !message.page.is_empty() {
        event["client_url"] = Value::from(message.page.as_str());
    }
    event["links"] = links(incident, message);
    event["payload"] = json!({
        "summary": summary(incident),
        "source": source(incident),
        "severity": severity(&incident.severity),
        "timestamp": incident.alert.fired_at.unwrap_or(incident.alert.active_at).rfc3339(),
        "component": words::cut(incident.alert.labels.get("server"), NAME),
        "class": words::cut(&incident.name, NAME),
        "group": words::cut(incident.alert.labels.get("job"), NAME),
    });
    let used = event.to_string().len();
    event["payload"]["custom_details"] = details(incident, EVENT.saturating_sub(used));
    event
}

fn summary(incident: &Incident) -> String {
    let place = match incident.place.as_str() {
        "" => String::new(),
        place => format!(" on {place}"),
    };
    let said = match incident.summary.as_str() {
        "" => String::new(),
        said => format!(": {said}"),
    };
    let whole = format!("{}{place}{said}", incident.name);
    words::cut(&words::one_line(&whole), SUMMARY)
}

/// PagerDuty insists on one.
fn source(incident: &Incident) -> String {
    match incident.place.as_str() {
        "" => "pgvigil".into(),
        place => words::cut(place, NAME),
    }
}

/// One of the four that PagerDuty knows.
fn severity(label: &str) -> &'static str {
    match label.to_ascii_lowercase().as_str() {
        "critical" | "crit" | "fatal" | "emergency" | "disaster" => "critical",
        "warning" | "warn" | "minor" => "warning",
        "info" | "information" | "informational" | "notice" | "low" | "none" => "info",
        _ => "error",
    }
}

fn links(incident: &Incident, message: &Message) -> Value {
    let runbook = incident.alert.annotations.get("runbook_url");
    let links = [("Guide", runbook), ("pgvigil", Some(&message.page))];
    let known = links
        .into_iter()
        .filter_map(|(text, href)| Some((text, href?)));
    known
        .filter(|(_, href)| href.starts_with("http") && href.len() <= TEXT)
        .map(|(text, href)| json!({"href": href, "text": text}))
        .collect()
}

/// Facts, labels, the description, then what was found: as much as has room.
fn details(incident: &Incident, room: usize) -> Value {
    let mut details = Map::new();
    let mut left = room;
    let mut more = 0;
    let facts = incident.facts.iter().filter(|(name, _)| name != "Labels");
    let facts = facts.map(|(name, text)| (name.clone(), Value::from(words::cut(text, TEXT))));
    let description = Some(&incident.description).filter(|text| !text.is_empty());
    let description =
        description.map(|text| ("Description".into(), Value::from(words::cut(text, TEXT))));
    let labels = incident.alert.labels.iter();
    let labels: Map<String, Value> = labels
        .map(|(name, value)| (name.to_owned(), Value::from(words::cut(value, TEXT))))
        .collect();
    let found = incident.evidence.iter();
    let found = found.map(|found| (found.title.clone(), payload::evidence(found)));
    let parts = description
        .into_iter()
        .chain(facts)
        .chain([("Labels".into(), Value::from(labels))])
        .chain(found);
    for (name, value) in parts {
        let size = name.len() + value.to_string().len() + 8;
        if size > left {
            more += 1;
            continue;
        }
        left -= size;
        details.insert(name, value);
    }
    if more > 0 {
        details.insert("Left out for their size".into(), Value::from(more));
    }
    Value::from(details)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::Evidence;
    use crate::notify::due::{Item, Letter, Reason};
    use crate::notify::message::compose;
    use crate::notify::{Context, trial};
    use crate::sample::Timestamp;

    fn written(text: &str, rows: usize) -> (Incident, Message) {
        let mut alert = trial::alert(Timestamp(0));
        alert.labels = alert.labels.with("severity", "warning").with("query", text);
        alert.annotations.insert("summary".into(), text.into());
        alert
            .annotations
            .insert("description".into(), format!("see {text}"));
        let evidence = |number: usize| Evidence {
            query: format!("q{number}"),
            title: format!("Sessions {number}"),
            server: "rachel".into(),
            at: Timestamp(0),
            columns: vec!["query".into()],
            rows: vec![vec![text.to_owned()]; rows],
            more: 0,
            error: String::new(),
        };
        let letter = Letter {
            items: vec![Item {
                incident: alert.incident().unwrap(),
                alert,
                reason: Reason::Opened,
                evidence: (0..3).map(evidence).collect(),
                told: None,
            }],
            ..Letter::default()
        };
        let message = compose(&letter, &Context::default(), Timestamp(0));
        (message.incidents[0].clone(), message)
    }

    #[test]
    fn an_event_of_any_size_is_within_the_limits() {
        for (text, rows) in [
            ("short", 1),
            ("\u{1F418}\"\\\n<&>", 40_000),
            (&"x\u{0}é".repeat(50_000), 2),
        ] {
            let (incident, message) = written(text, rows);
            let event = event(&incident, &message, &"k".repeat(32));
            assert!(
                event.to_string().len() <= 512_000,
                "{}",
                event.to_string().len()
            );
            let summary = event["payload"]["summary"].as_str().unwrap();
            assert!(summary.chars().count() <= 1_024 && !summary.contains('\n'));
            assert!(summary.starts_with("PgvigilTest on pgvigil: "), "{summary}");
            assert_eq!(event["payload"]["severity"], "warning");
            let details = &event["payload"]["custom_details"];
            let left_out = &details["Left out for their size"];
            assert_eq!(left_out.is_null(), rows == 1, "{left_out}");
            assert!(!details["Since"].is_null() && !details["Labels"].is_null());
        }
    }

    #[test]
    fn severities_are_those_that_pagerduty_knows() {
        let cases = [
            ("critical", "critical"),
            ("Warning", "warning"),
            ("info", "info"),
            ("s2", "error"),
            ("", "error"),
        ];
        for (label, expected) in cases {
            assert_eq!(severity(label), expected);
        }
    }
}
