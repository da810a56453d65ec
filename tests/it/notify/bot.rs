//! Slack as a bot: the first message shows how things stand, and each change is an answer in its thread.

use std::time::Duration;

use pgvigil::document::Place;
use pgvigil::incident::{Ledger, Matcher};
use pgvigil::notify::{Entry, Settings, Terms};
use pgvigil::sample::Timestamp;
use serde_json::{Value, json};

use super::{DEADLINE, Senders, ledger, settings};
use crate::harness::{Answer, HttpSink, Request, Scratch, eventually};
use crate::incident::{firing, opened, resolved};

pub(super) fn receiver(sink: &HttpSink, name: &str) -> String {
    let url = sink.url();
    format!(
        "{{name: {name}, slack: {{bot_token: xoxb-hunter2, channel: '#ops', api_url: '{url}/api/'}}}}"
    )
}

pub(super) fn posted(ts: &str) -> Answer {
    let body =
        json!({"ok": true, "channel": "C9", "ts": ts, "message": {"text": "x".repeat(100_000)}});
    Answer::new(200, &[], &body.to_string())
}

fn error(word: &str) -> Answer {
    Answer::new(200, &[], &json!({"ok": false, "error": word}).to_string())
}

/// Method, channel and the message that it is about.
fn calls(requests: &[Request]) -> Vec<String> {
    let call = |request: &Request| {
        let body = request.json();
        let method = request.path.trim_start_matches("/api/");
        let text = |key: &str| body[key].as_str().unwrap_or("-").to_owned();
        format!(
            "{method} {} {} {}",
            text("channel"),
            text("ts"),
            text("thread_ts")
        )
    };
    requests.iter().map(call).collect()
}

fn first_line(request: &Request) -> String {
    let body = request.json();
    body["text"]
        .as_str()
        .unwrap()
        .lines()
        .next()
        .unwrap()
        .to_owned()
}

fn told(senders: &Senders, count: u64) {
    eventually("it is noted", DEADLINE, || {
        let all = senders.tally.all();
        (all.get("team")?.delivered == count).then_some(())
    });
}

/// alerting.md 2.1: "with a bot token, edits the first message to its current state and replies in its thread", over a
/// restart as well.
#[tokio::test(flavor = "multi_thread")]
async fn the_first_message_shows_how_things_stand() {
    let (sink, state) = (HttpSink::start(), Scratch::new());
    sink.script([posted("1.1")]);
    sink.usually(posted("9.9"));
    let senders = Senders::start(&receiver(&sink, "team"), ledger(state.path()));
    let at = Timestamp::now().before(Duration::from_secs(5));
    let alerts = ["A", "B"].map(|name| firing(name, at));
    senders
        .ledger
        .record(&alerts.clone().map(|alert| opened(&alert)));
    told(&senders, 1);
    senders.kill().await;

    let senders = Senders::start(&receiver(&sink, "team"), ledger(state.path()));
    senders.end(&alerts[0]);
    told(&senders, 1);
    senders.end(&alerts[1]);
    told(&senders, 2);
    senders.stop().await;
    let requests = sink.requests();
    let said: Vec<String> = requests.iter().map(first_line).collect();
    assert_eq!(
        calls(&requests),
        [
            "chat.postMessage #ops - -",
            "chat.update C9 1.1 -",
            "chat.postMessage C9 - 1.1",
            "chat.update C9 1.1 -",
            "chat.postMessage C9 - 1.1",
        ]
    );
    assert_eq!(
        said,
        [
            "2 firing",
            "1 firing, 1 resolved",
            "RESOLVED: A on rachel",
            "2 resolved",
            "RESOLVED: B on rachel"
        ]
    );
    let bearer = requests[0].header("Authorization");
    assert_eq!(bearer, Some("Bearer xoxb-hunter2"));
    assert_eq!(requests[2].json().get("reply_broadcast"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_gone_does_not_hold_the_news_back() {
    let sink = HttpSink::start();
    sink.script([
        posted("1.1"),
        error("message_not_found"),
        error("thread_not_found"),
    ]);
    sink.usually(posted("2.2"));
    let senders = Senders::start(&receiver(&sink, "team"), Ledger::memory());
    let alert = senders.fire("A");
    told(&senders, 1);
    senders.end(&alert);
    told(&senders, 2);
    senders.stop().await;
    let requests = sink.requests();
    assert_eq!(
        calls(&requests)[1..],
        [
            "chat.update C9 1.1 -",
            "chat.postMessage C9 - 1.1",
            "chat.postMessage C9 - -"
        ]
    );
    assert_eq!(first_line(&requests[3]), "RESOLVED: A on rachel");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_changed_any_more_is_still_answered_and_a_limit_repeats_no_answer() {
    let sink = HttpSink::start();
    let limit = Answer::new(
        429,
        &[("Retry-After", "1")],
        r#"{"ok":false,"error":"ratelimited"}"#,
    );
    sink.script([
        posted("1.1"),
        limit.clone(),
        posted("1.1"),
        limit,
        error("edit_window_closed"),
    ]);
    sink.usually(posted("2.2"));
    let senders = Senders::start(&receiver(&sink, "team"), Ledger::memory());
    let alert = senders.fire("A");
    told(&senders, 1);
    senders.end(&alert);
    told(&senders, 2);
    senders.stop().await;
    assert_eq!(
        calls(&sink.requests())[1..],
        [
            "chat.update C9 1.1 -",
            "chat.update C9 1.1 -",
            "chat.postMessage C9 - 1.1",
            "chat.update C9 1.1 -",
            "chat.postMessage C9 - 1.1",
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_holds_for_all_that_the_token_does_and_a_reminder_is_seen_in_the_channel() {
    let sink = HttpSink::start();
    sink.script([Answer::new(429, &[("Retry-After", "2")], "")]);
    sink.usually(posted("1.1"));
    let receivers = format!("{}, {}", receiver(&sink, "team"), receiver(&sink, "lead"));
    let only = |matcher, to: &str| Entry {
        place: Place::default(),
        matchers: vec![Matcher::parse(matcher).unwrap()],
        to: vec![to.into()],
        goes_on: false,
        when: None,
        terms: Terms {
            repeat: Duration::from_secs(1),
            ..Terms::default()
        },
    };
    let policy = vec![only("alertname=A", "team"), only("alertname=B", "lead")];
    let settings = Settings {
        policy,
        ..settings(&receivers)
    };
    let senders = Senders::with(settings, Ledger::memory());
    let first = senders.fire("A");
    eventually("one is limited", DEADLINE, || senders.error("team"));
    let second = senders.fire("B");
    let requests = sink.wait_for(2, DEADLINE);
    let waited = requests[1].at - requests[0].at;
    assert!(waited >= Duration::from_millis(1_950), "{waited:?}");
    let reminder = eventually("it is repeated", DEADLINE, || {
        let bodies = sink.requests().into_iter().map(|request| request.json());
        bodies
            .into_iter()
            .find(|body: &Value| body["reply_broadcast"] == true)
    });
    assert_eq!(reminder["thread_ts"], "1.1");
    let now = Timestamp::now();
    senders
        .ledger
        .record(&[resolved(&first, now), resolved(&second, now)]);
    senders.stop().await;
}
