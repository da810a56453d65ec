//! Fifty incidents at a webhook that limits again and again.

use std::time::Duration;

use pgvigil::incident::Ledger;
use pgvigil::rules::Alert;
use pgvigil::sample::Timestamp;

use super::slack::{receiver, texts};
use super::{DEADLINE, Senders};
use crate::harness::{Answer, HttpSink, eventually};
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

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_told_once_and_in_order() {
    let sink = HttpSink::start();
    let limit = || Answer::new(429, &[("Retry-After", "1")], "rate_limited");
    let taken = Answer::default;
    let script = [limit(), taken(), limit(), limit(), taken(), limit()];
    let limited = script.clone().map(|answer| answer.status == 429);
    sink.script(script);
    let senders = Senders::start(&receiver(&sink), Ledger::memory());

    let start = Timestamp::now().before(Duration::from_secs(5));
    let names: Vec<String> = (0..50).map(|number| format!("A{number:02}")).collect();
    let alerts: Vec<Alert> = (0..)
        .zip(&names)
        .map(|(number, name)| firing(name, start + Duration::from_millis(number)))
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
        eventually("they are told", DEADLINE, || {
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

    let requests = texts(&sink.requests()).into_iter().enumerate();
    let taken = requests.filter(|(place, _)| limited.get(*place) != Some(&true));
    let messages: Vec<String> = taken.map(|(_, text)| text).collect();
    assert!(
        messages.len() < 10,
        "digests, not one for each: {messages:#?}"
    );
    let (began, ended) = (told(&messages, "FIRING: "), told(&messages, "RESOLVED: "));
    for list in [&began, &ended] {
        let list: Vec<&String> = list.iter().map(|(name, _)| name).collect();
        assert!(
            names.iter().eq(list),
            "each once, as they opened: {messages:#?}"
        );
    }
    for ((name, began), (_, ended)) in began.iter().zip(&ended) {
        assert!(began < ended, "{name} ends after it began: {messages:#?}");
    }
}
