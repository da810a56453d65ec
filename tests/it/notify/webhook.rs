//! The generic webhook beside a real Alertmanager's, its key and its signature.

use pgvigil::incident::Ledger;
use pgvigil::sample::Timestamp;
use ring::hmac;
use serde_json::{Value, json};

use super::alertmanager::real;
use super::{DEADLINE, Senders, ledger};
use crate::harness::{Answer, HttpSink, Request, Scratch, eventually, free_port};
use crate::incident::{firing, opened, resolved};

fn receiver(sink: &HttpSink, more: &str) -> String {
    format!(
        "{{name: hook, webhook: {{url: '{}/hunter2'{more}}}}}",
        sink.url()
    )
}

fn key(request: &Request) -> String {
    request.header("Idempotency-Key").unwrap().to_owned()
}

fn names(body: &Value) -> Vec<String> {
    let alerts = body["alerts"].as_array().unwrap().iter();
    let name = |alert: &Value| {
        format!("{} {}", alert["labels"]["alertname"], alert["status"]).replace('"', "")
    };
    let mut names: Vec<String> = alerts.map(name).collect();
    names.sort();
    names
}

/// Waits for a request about this state.
fn about(sink: &HttpSink, status: &str) -> Value {
    eventually(status, DEADLINE, || {
        let bodies = sink.requests().into_iter().map(|request| request.json());
        bodies.into_iter().find(|body| body["status"] == status)
    })
}

/// The part that both write alike: all but how they call their groups.
fn alike(mut body: Value) -> Value {
    let body = body.as_object_mut().unwrap();
    for own in [
        "receiver",
        "groupKey",
        "groupLabels",
        "externalURL",
        "notification_reason",
    ] {
        body.remove(own);
    }
    for alert in body["alerts"].as_array_mut().unwrap() {
        alert.as_object_mut().unwrap().remove("incident");
        for moment in ["startsAt", "endsAt"] {
            alert[moment] = short(alert[moment].as_str().unwrap()).into();
        }
    }
    json!(body)
}

/// A moment as Go writes it: without zeros at the end of its fraction.
fn short(moment: &str) -> String {
    match moment.trim_end_matches('Z').split_once('.') {
        Some((whole, fraction)) => {
            let exact = format!("{whole}.{}", fraction.trim_end_matches('0'));
            format!("{}Z", exact.trim_end_matches('.'))
        }
        None => moment.to_owned(),
    }
}

/// alerting.md 2.4: the same incident through a real Alertmanager and from us gives the same payload.
#[tokio::test(flavor = "multi_thread")]
async fn the_payload_is_an_alertmanagers() {
    let (am, theirs, ours) = (Scratch::new(), HttpSink::start(), HttpSink::start());
    let port = free_port();
    let _daemon = real(port, &am, &theirs);
    let push = format!("{{name: am, alertmanager: {{urls: ['http://127.0.0.1:{port}']}}}}");
    let receivers = format!("{push}, {}", receiver(&ours, ""));
    let senders = Senders::start(&receivers, Ledger::memory());
    let alert = senders.fire("A");
    let (from_am, from_us) = (about(&theirs, "firing"), about(&ours, "firing"));
    assert_eq!(alike(from_us.clone()), alike(from_am.clone()));
    let mut keys: Vec<&String> = from_am.as_object().unwrap().keys().collect();
    keys.retain(|key| from_us.get(key).is_none());
    assert!(keys.is_empty(), "{keys:?}");
    assert_eq!(from_us["alerts"][0]["endsAt"], "0001-01-01T00:00:00Z");
    assert_eq!(from_us["alerts"][0]["labels"]["cluster"], "prod");
    assert_eq!(from_us["groupLabels"], json!({"alertname": "A"}));
    assert_eq!(from_us["externalURL"], "https://pgvigil.example");
    assert_eq!(from_us["notification_reason"], "first notification");
    let incident = alert.incident().unwrap();
    assert_eq!(from_us["alerts"][0]["incident"], incident);

    senders.end(&alert);
    let (from_am, from_us) = (about(&theirs, "resolved"), about(&ours, "resolved"));
    assert_eq!(alike(from_us.clone()), alike(from_am));
    assert_eq!(from_us["notification_reason"], "all alerts resolved");
    senders.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_told_whole_and_within_its_limit() {
    let (all, few) = (HttpSink::start(), HttpSink::start());
    let limited = receiver(&few, ", max_alerts: 2").replace("hook,", "few,");
    let receivers = format!("{}, {limited}", receiver(&all, ""));
    let senders = Senders::start(&receivers, Ledger::memory());
    let at = Timestamp::now().before(std::time::Duration::from_secs(5));
    let alerts = ["A", "B", "C"].map(|name| firing(name, at));
    senders
        .ledger
        .record(&alerts.clone().map(|alert| opened(&alert)));
    let first = all.wait_for(1, DEADLINE)[0].json();
    assert_eq!(names(&first), ["A firing", "B firing", "C firing"]);
    // What is left over makes another message.
    let parts = few.wait_for(2, DEADLINE);
    let parts: Vec<Vec<String>> = parts.iter().map(|part| names(&part.json())).collect();
    assert_eq!((parts[0].len(), parts[1].len()), (2, 1));
    let mut both = parts.concat();
    both.sort();
    assert_eq!(both, names(&first));
    let told = |receiver: &str, count| {
        eventually("it is noted", DEADLINE, || {
            let all = senders.tally.all();
            (all.get(receiver)?.delivered == count).then_some(())
        });
    };
    told("hook", 1);
    told("few", 2);

    senders.end(&alerts[1]);
    let second = all.wait_for(2, DEADLINE)[1].json();
    // What goes on is told again, as an Alertmanager does.
    assert_eq!(names(&second), ["A firing", "B resolved", "C firing"]);
    assert_eq!(second["groupKey"], first["groupKey"]);
    assert_eq!(
        (&second["status"], &second["truncatedAlerts"]),
        (&json!("firing"), &json!(0))
    );
    assert_eq!(second["notification_reason"], "some alerts resolved");
    assert_eq!(second["groupLabels"], json!({}));
    assert_eq!(second["commonLabels"]["instance"], "rachel");
    assert!(
        second["commonLabels"].get("alertname").is_none(),
        "{second}"
    );
    let end = names(&few.wait_for(3, DEADLINE)[2].json());
    assert!(
        end.contains(&"B resolved".to_owned()) && end.len() <= 2,
        "{end:?}"
    );
    senders.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_has_one_key_over_tries_and_restarts_and_a_signature() {
    let (sink, state) = (HttpSink::start(), Scratch::new());
    sink.script([Answer::new(503, &[], ""), Answer::default().after(DEADLINE)]);
    let signed = receiver(&sink, ", secret: s3cr3t");
    let senders = Senders::start(&signed, ledger(state.path()));
    let alert = senders.fire("A");
    sink.wait_for(2, DEADLINE);
    senders.kill().await;

    let senders = Senders::start(&signed, ledger(state.path()));
    let requests = sink.wait_for(3, DEADLINE);
    let id = alert.incident().unwrap();
    assert!(
        requests
            .iter()
            .all(|request| key(request) == format!("{id}-firing")),
        "{requests:?}"
    );
    eventually("it is noted", DEADLINE, || {
        senders.ledger.read(|book| book.told(&id, "hook").cloned())
    });
    senders.ledger.record(&[resolved(&alert, Timestamp::now())]);
    let end = sink.wait_for(4, DEADLINE)[3].clone();
    assert!(
        key(&end).starts_with(&format!("{id}-resolved-")),
        "{}",
        key(&end)
    );

    let verify = hmac::Key::new(hmac::HMAC_SHA256, b"s3cr3t");
    let tag = hmac::sign(&verify, &end.bytes);
    let digits: String = tag
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(
        end.header("X-Pgvigil-Signature"),
        Some(format!("sha256={digits}").as_str())
    );
    assert_eq!(end.header("Content-Type"), Some("application/json"));
    senders.stop().await;
}
