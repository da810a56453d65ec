//! Claim 11: fifty incidents at a Slack that limits again and again, by a webhook and by a bot: all accounted for, in
//! order.

use std::time::Duration;

use pgvigil::incident::Ledger;
use pgvigil::rules::Alert;
use pgvigil::sample::Timestamp;

use super::{DEADLINE, Senders, bot, slack};
use crate::harness::{Answer, HttpSink, Request, eventually};
use crate::incident::{firing, opened, resolved};

/// The names after a word such as `FIRING: `, each with the place of its message, as the messages tell them.
fn told(messages: &[String], word: &str) -> Vec<(String, usize)> {
    let lines = messages
        .iter()
        .enumerate()
        .flat_map(|(place, text)| text.lines().map(move |line| (place, line)));
    let named = lines.filter_map(|(place, line)| {
        let name = line.strip_prefix(word)?.split(' ').next()?;
        Some((name.to_owned(), place))
    });
    named.collect()
}

fn names() -> Vec<String> {
    (0..50).map(|number| format!("A{number:02}")).collect()
}

/// Lets fifty incidents open and end in waves; what was taken, at a server that limits now and then.
async fn storm(sink: &HttpSink, receiver: &str, script: Vec<Answer>) -> Vec<Request> {
    let limited: Vec<bool> = script.iter().map(|answer| answer.status == 429).collect();
    sink.script(script);
    let senders = Senders::start(receiver, Ledger::memory());
    let start = Timestamp::now().before(Duration::from_secs(5));
    let alerts: Vec<Alert> = (0..)
        .zip(names())
        .map(|(number, name)| firing(&name, start + Duration::from_millis(number)))
        .collect();
    let wave = |ending: &[Alert], opening: &[Alert]| {
        let now = Timestamp::now();
        let ends = ending.iter().map(|alert| resolved(alert, now));
        let events: Vec<_> = ends.chain(opening.iter().map(opened)).collect();
        let before = sink.requests().len();
        senders.ledger.record(&events);
        sink.wait_for(before + 1, DEADLINE);
    };
    let wait_until_told = |count: usize, of_the_end: bool| {
        let count_told = || {
            senders.ledger.read(|book| {
                let told = book.told.values();
                told.filter(|told| told.resolved || !of_the_end).count()
            })
        };
        eventually("they are told", 2 * DEADLINE, || {
            (count_told() == count).then_some(())
        });
    };
    alerts[..30]
        .chunks(10)
        .for_each(|opening| wave(&[], opening));
    wait_until_told(30, false);
    wave(&alerts[..10], &alerts[30..40]);
    wave(&[], &alerts[40..]);
    wait_until_told(50, false);
    wave(&alerts[10..30], &[]);
    wave(&alerts[30..], &[]);
    wait_until_told(50, true);
    senders.stop().await;
    let requests = sink.requests().into_iter().enumerate();
    let taken = requests.filter(|(place, _)| limited.get(*place) != Some(&true));
    taken.map(|(_, request)| request).collect()
}

fn check(messages: &[String]) {
    let (began, ended) = (told(messages, "FIRING: "), told(messages, "RESOLVED: "));
    for list in [&began, &ended] {
        let list: Vec<&String> = list.iter().map(|(name, _)| name).collect();
        assert!(
            names().iter().eq(list),
            "each once, as they opened: {messages:#?}"
        );
    }
    for ((name, began), (_, ended)) in began.iter().zip(&ended) {
        assert!(began < ended, "{name} ends after it began: {messages:#?}");
    }
}

fn limit() -> Answer {
    Answer::new(429, &[("Retry-After", "1")], "rate_limited")
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_told_once_and_in_order() {
    let sink = HttpSink::start();
    let taken = Answer::default;
    let script = vec![limit(), taken(), limit(), limit(), taken(), limit()];
    let messages = slack::texts(&storm(&sink, &slack::receiver(&sink), script).await);
    assert!(
        messages.len() < 10,
        "digests, not one for each: {messages:#?}"
    );
    check(&messages);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_answers_each_in_its_thread() {
    let sink = HttpSink::start();
    let answer = |place: usize| match place {
        0 | 2 | 3 | 7 | 11 => limit(),
        _ => bot::posted(&format!("1.{place}")),
    };
    let script = (0..100).map(answer).collect();
    let taken = storm(&sink, &bot::receiver(&sink, "team"), script).await;
    let (posts, updates): (Vec<Request>, Vec<Request>) = taken
        .into_iter()
        .partition(|request| request.path.ends_with("chat.postMessage"));
    assert!(posts.len() < 25, "digests, not one for each: {posts:#?}");
    check(&slack::texts(&posts));
    let roots = posts
        .iter()
        .filter(|post| post.json()["thread_ts"].is_null());
    let mut last = std::collections::BTreeMap::new();
    for update in &updates {
        let body = update.json();
        last.insert(
            body["ts"].to_string(),
            body["text"].as_str().unwrap().to_owned(),
        );
    }
    assert_eq!(
        roots.count(),
        last.len(),
        "each first message was kept up to date"
    );
    let firing = last.values().find(|text| text.contains("FIRING"));
    assert_eq!(firing, None, "in the end all of them say that all is over");
}
