//! The page in a real browser that knows the password: its own form acts, and no other site's does.

use pgvigil::incident::Ledger;
use serde_json::{Value, json};

use super::super::doors::Open;
use super::{TOKEN, told, with_token};
use crate::harness::{Answer, HttpSink, browse};

#[tokio::test(flavor = "multi_thread")]
async fn a_browsers_password_serves_our_page_and_no_other_sites() {
    let view = told(Ledger::memory());
    let open = Open::new(&view, with_token());
    let incident = view
        .ledger
        .read(|book| book.firing().next().unwrap().incident().unwrap());
    let port = open.url().rsplit_once(':').unwrap().1;
    let ours = format!("http://pgvigil.test:{port}/silence?incident={incident}");
    let evil = HttpSink::start();
    let trap = format!(
        "<form method=post action='{ours}'><button name=action value=1w>Win</button></form>\
         <form method=post enctype='text/plain' action='http://pgvigil.test:{port}/api/v2/silences'>\
         <input name='{{\"comment\":\"' value='\"}}'><button id=json>Win more</button></form>"
    );
    evil.usually(Answer::new(200, &[("Content-Type", "text/html")], &trap));
    let elsewhere = evil.url().replace("127.0.0.1", "evil.test");
    let asked = json!({"password": TOKEN, "steps": [
        {"url": ours, "button": "button[value='acknowledge']"},
        {"url": elsewhere, "button": "button[value='1w']"},
        {"url": elsewhere, "button": "#json"},
        {"url": ours.replace("pgvigil.test", "127.0.0.1"), "button": "button[value='1h']"},
    ]});
    let came = tokio::task::spawn_blocking(move || browse("web/v2/press.cjs", asked))
        .await
        .unwrap();
    let answers = came["answers"].as_array().unwrap();
    let statuses: Vec<&Value> = answers.iter().map(|answer| &answer["status"]).collect();
    assert_eq!(statuses, [200, 403, 403, 200], "{came:#}");
    let says = |place: usize, text: &str| answers[place]["text"].as_str().unwrap().contains(text);
    assert!(
        says(0, "Acknowledged by ann") && says(3, "Silenced until"),
        "{came:#}"
    );
    let (acknowledged, silences) = view
        .ledger
        .read(|book| (book.acknowledged.len(), book.silences.len()));
    assert_eq!((acknowledged, silences), (1, 1));
    assert_eq!(
        answers[3]["width"], 320,
        "it fits the narrowest phone: {came:#}"
    );
    let refusals = came["troubles"].as_array().unwrap();
    let unexpected = refusals
        .iter()
        .filter(|trouble| !trouble.as_str().unwrap().contains("403"));
    assert_eq!(unexpected.count(), 0, "{came:#}");
}
