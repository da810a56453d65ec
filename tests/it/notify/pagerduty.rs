//! PagerDuty: an event for each incident, and its end until it was taken.

use pgvigil::incident::Ledger;
use pgvigil::sample::Timestamp;
use serde_json::Value;

use super::{DEADLINE, Senders, ledger};
use crate::harness::{Answer, HttpSink, Scratch, eventually};
use crate::incident::{firing, opened, resolved};

fn receiver(sink: &HttpSink) -> String {
    let key = "0123456789abcdef0123456789abcdef";
    let url = sink.url();
    format!("{{name: pager, pagerduty: {{routing_key: '{key}', url: '{url}/v2/enqueue'}}}}")
}

fn accepting() -> HttpSink {
    let sink = HttpSink::start();
    sink.usually(Answer::new(202, &[], r#"{"status":"success"}"#));
    sink
}

fn events(sink: &HttpSink, count: usize) -> Vec<Value> {
    let requests = sink.wait_for(count, DEADLINE);
    requests.iter().map(|request| request.json()).collect()
}

/// alerting.md 2.5: one incident there for each here, the key is the incident's id; never a digest.
#[tokio::test(flavor = "multi_thread")]
async fn each_incident_is_one_of_pagerdutys() {
    let sink = accepting();
    let senders = Senders::start(&receiver(&sink), Ledger::memory());
    let at = Timestamp::now().before(std::time::Duration::from_secs(5));
    let alerts = ["A", "B", "C"].map(|name| firing(name, at));
    senders
        .ledger
        .record(&alerts.clone().map(|alert| opened(&alert)));
    let all = events(&sink, 3);
    let mut keys: Vec<&str> = all
        .iter()
        .map(|event| event["dedup_key"].as_str().unwrap())
        .collect();
    let mut ids = alerts.clone().map(|alert| alert.incident().unwrap());
    keys.sort_unstable();
    ids.sort_unstable();
    assert_eq!(keys, ids);
    let event = &all[0];
    assert_eq!(event["event_action"], "trigger");
    assert_eq!(event["routing_key"], "0123456789abcdef0123456789abcdef");
    assert_eq!(event["client_url"], "https://pgvigil.example");
    assert_eq!(event["links"][0]["href"], "https://pgvigil.example/runbook");
    let payload = &event["payload"];
    assert_eq!(payload["summary"], "A on rachel: A has something to say");
    assert_eq!(
        (&payload["source"], &payload["severity"]),
        (&"rachel".into(), &"warning".into())
    );
    assert_eq!(payload["timestamp"].as_str().unwrap(), at.rfc3339());
    assert_eq!(payload["custom_details"]["Labels"]["alertname"], "A");

    senders.end(&alerts[1]);
    let end = &events(&sink, 4)[3];
    assert_eq!(end["event_action"], "resolve");
    assert_eq!(end["dedup_key"].as_str(), alerts[1].incident().as_deref());
    senders.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_is_owed_until_it_was_accepted() {
    let (sink, state) = (accepting(), Scratch::new());
    let senders = Senders::start(&receiver(&sink), ledger(state.path()));
    let alert = senders.fire("A");
    let id = alert.incident().unwrap();
    let told = |senders: &Senders, end: bool| {
        eventually("it is noted", DEADLINE, || {
            let told = senders.ledger.read(|book| book.told(&id, "pager").cloned());
            told.filter(|told| told.resolved == end && told.error.is_empty())
        })
    };
    told(&senders, false);
    sink.script([
        Answer::new(429, &[], ""),
        Answer::default(),
        Answer::new(500, &[], ""),
        Answer::bare(""),
    ]);
    senders.end(&alert);
    sink.wait_for(3, DEADLINE);
    senders.kill().await;

    let senders = Senders::start(&receiver(&sink), ledger(state.path()));
    told(&senders, true);
    senders.stop().await;
    let ends: Vec<Value> = events(&sink, 4).into_iter().skip(1).collect();
    assert!(ends.len() >= 4, "{ends:?}");
    for end in ends {
        assert_eq!(
            (end["event_action"].as_str(), end["dedup_key"].as_str()),
            (Some("resolve"), Some(id.as_str()))
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_over_before_it_could_be_told_wakes_nobody() {
    let sink = accepting();
    sink.script([Answer::new(429, &[("Retry-After", "1")], "")]);
    let senders = Senders::start(&receiver(&sink), Ledger::memory());
    let alert = senders.fire("A");
    sink.wait_for(1, DEADLINE);
    senders.ledger.record(&[resolved(&alert, Timestamp::now())]);
    let second = &events(&sink, 2)[1];
    assert_eq!(second["event_action"], "resolve");
    senders.stop().await;
}
