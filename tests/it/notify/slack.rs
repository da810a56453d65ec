//! A webhook that limits, fails, refuses and is gone.

use std::time::Instant;

use pgvigil::document::Place;
use pgvigil::incident::Ledger;
use pgvigil::incident::Matcher;
use pgvigil::notify::{self, Entry, Settings, Terms};

use super::{DEADLINE, Senders, context, ledger, settings};
use crate::harness::{Answer, HttpSink, Request, Scratch, eventually};

pub(super) fn receiver(sink: &HttpSink) -> String {
    format!(
        "{{name: team, slack: {{webhook_url: '{}/services/T0/B0/hunter2'}}}}",
        sink.url()
    )
}

pub(super) fn texts(requests: &[Request]) -> Vec<String> {
    let text = |request: &Request| request.json()["text"].as_str().unwrap().to_owned();
    requests.iter().map(text).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_delays_and_loses_nothing() {
    let sink = HttpSink::start();
    sink.script([Answer::new(429, &[("Retry-After", "2")], "rate_limited")]);
    let senders = Senders::start(&receiver(&sink), Ledger::memory());
    let first = senders.fire("First");
    sink.wait_for(1, DEADLINE);
    let limited = Instant::now();
    senders.fire("Second");
    senders.end(&first);
    let requests = sink.wait_for(2, DEADLINE);
    assert!(
        limited.elapsed().as_millis() > 1_800,
        "it was asked to wait 2 s"
    );
    let text = texts(&requests)[1].clone();
    assert!(text.starts_with("1 firing, 1 resolved\n"), "{text}");
    assert!(
        text.contains("FIRING: Second on rachel Second has")
            && text.contains("RESOLVED: First on rachel It was: First has"),
        "{text}"
    );
    senders.stop().await;
    assert_eq!(sink.requests().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_receivers_with_one_webhook_keep_its_limit_together() {
    let sink = HttpSink::start();
    sink.script([Answer::new(429, &[("Retry-After", "2")], "rate_limited")]);
    let url = format!("{}/services/T0/B0/hunter2", sink.url());
    let secret = Scratch::new();
    let file = secret.write("url", &url);
    let receivers = format!(
        "{{name: team, slack: {{webhook_url: '{url}'}}}}, {{name: lead, slack: {{webhook_url_file: '{}'}}}}",
        file.display()
    );
    let only = |matcher, to: &str| Entry {
        place: Place::default(),
        matchers: vec![Matcher::parse(matcher).unwrap()],
        to: vec![to.into()],
        goes_on: false,
        when: None,
        terms: Terms::default(),
    };
    let policy = vec![only("alertname=A", "team"), only("alertname=B", "lead")];
    let settings = Settings {
        policy,
        ..settings(&receivers)
    };
    let senders = Senders::with(settings, Ledger::memory());
    senders.fire("A");
    eventually("one is limited", DEADLINE, || senders.error("team"));
    let limited = Instant::now();
    senders.fire("B");
    sink.wait_for(2, DEADLINE);
    assert!(limited.elapsed().as_millis() > 1_800, "the other waits too");
    let mut told = texts(&sink.wait_for(3, DEADLINE)[1..]);
    assert!(
        limited.elapsed().as_millis() > 2_800,
        "one goes each second"
    );
    told.sort();
    assert!(
        told[0].starts_with("FIRING: A on") && told[1].starts_with("FIRING: B on"),
        "{told:?}"
    );
    senders.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_passes_is_tried_again_and_what_is_malformed_is_said_plainly() {
    let sink = HttpSink::start();
    let answer = |status| Answer::new(status, &[], "trouble");
    sink.script([answer(500), answer(503), answer(400)]);
    let senders = Senders::start(&receiver(&sink), Ledger::memory());
    senders.fire("A");
    let requests = sink.wait_for(4, DEADLINE);
    assert!(requests[2].json()["blocks"].is_array());
    assert_eq!(
        requests[3]
            .json()
            .as_object()
            .unwrap()
            .keys()
            .collect::<Vec<_>>(),
        ["text"]
    );
    eventually("it is noted", DEADLINE, || {
        let all = senders.tally.all();
        (all["team"].delivered == 1 && all["team"].retried == 2 && all["team"].error.is_none())
            .then_some(())
    });
    senders.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_webhook_is_named_without_its_secret() {
    let sink = HttpSink::start();
    let echo = format!("no_service at {}/services/T0/B0/hunter2", sink.url());
    sink.usually(Answer::new(404, &[], &echo));
    let senders = Senders::start(&receiver(&sink), Ledger::memory());
    let alert = senders.fire("A");
    let error = eventually("it is refused", DEADLINE, || senders.error("team"));
    assert!(
        error.starts_with("Slack answered 404 `no_service at <secret>`; the webhook was removed"),
        "{error}"
    );
    let incident = alert.incident().unwrap();
    eventually("it is kept", DEADLINE, || {
        senders.ledger.read(|book| {
            book.told(&incident, "team")
                .cloned()
                .filter(|told| !told.error.is_empty())
        })
    });
    senders.stop().await;
    assert_eq!(sink.requests().len(), 1, "it is not asked again at once");

    drop(sink);
    let outcomes = notify::test(
        &settings("{name: t, slack: {webhook_url: 'http://127.0.0.1:1/hunter2'}}"),
        &context(),
    )
    .await;
    let said = format!("{outcomes:?}");
    assert!(
        said.contains("\"cannot reach `127.0.0.1:1`: connection refused\"")
            && !said.contains("hunter2"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_neither_repeats_nor_loses() {
    let (sink, state) = (HttpSink::start(), Scratch::new());
    let senders = Senders::start(&receiver(&sink), ledger(state.path()));
    let alert = senders.fire("A");
    sink.wait_for(1, DEADLINE);
    let told = |senders: &Senders| senders.ledger.read(|book| book.told.len());
    eventually("it is noted", DEADLINE, || {
        (told(&senders) == 1).then_some(())
    });
    senders.kill().await;

    // It ends while nobody is there to tell.
    let between = ledger(state.path());
    let end = crate::incident::resolved(&alert, pgvigil::sample::Timestamp::now());
    between.record(&[end]);
    drop(between);

    let senders = Senders::start(&receiver(&sink), ledger(state.path()));
    let requests = sink.wait_for(2, DEADLINE);
    assert!(
        texts(&requests)[1].starts_with("RESOLVED: A on rachel"),
        "{requests:?}"
    );
    senders.stop().await;
    assert_eq!(sink.requests().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_before_the_answer_repeats_that_message_only() {
    let (sink, state) = (HttpSink::start(), Scratch::new());
    sink.script([Answer::default().after(DEADLINE)]);
    let senders = Senders::start(&receiver(&sink), ledger(state.path()));
    senders.fire("A");
    sink.wait_for(1, DEADLINE);
    senders.kill().await;

    let senders = Senders::start(&receiver(&sink), ledger(state.path()));
    let again = sink.wait_for(2, DEADLINE);
    assert!(
        texts(&again)
            .iter()
            .all(|text| text.starts_with("FIRING: A")),
        "{again:?}"
    );
    senders.fire("B");
    let requests = sink.wait_for(3, DEADLINE);
    assert!(texts(&requests)[2].starts_with("FIRING: B on rachel"));
    senders.stop().await;
    assert_eq!(sink.requests().len(), 3);
}
