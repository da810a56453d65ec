//! Debian's Alertmanager, and servers that only look like one.

use std::process::Command;

use pgvigil::incident::Ledger;
use pgvigil::sample::Timestamp;
use serde_json::Value;

use super::{DEADLINE, Senders, ledger};
use crate::harness::{Answer, Daemon, HttpSink, Request, Scratch, eventually, free_port, tool};

fn receiver(urls: &str) -> String {
    format!("{{name: am, alertmanager: {{urls: [{urls}]}}}}")
}

fn names(request: &Request) -> Vec<String> {
    let body = request.json();
    let alerts = body.as_array().unwrap().iter();
    alerts
        .map(|alert| alert["labels"]["alertname"].as_str().unwrap().to_owned())
        .collect()
}

/// A real one, with a receiver that is told of what fires and what ends.
pub(super) fn real(port: u16, state: &Scratch, hook: &HttpSink) -> Daemon {
    let url = hook.url();
    let config = format!(
        "route: {{receiver: r, group_wait: 1s, group_interval: 1s}}\n\
         receivers: [{{name: r, webhook_configs: [{{url: '{url}', send_resolved: true}}]}}]\n"
    );
    let mut command = Command::new(tool("alertmanager"));
    command
        .arg(format!(
            "--config.file={}",
            state.write("am.yml", config).display()
        ))
        .arg(format!("--storage.path={}", state.join("data").display()))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .arg("--cluster.listen-address=");
    Daemon::spawn(command)
}

/// What `amtool` sees; nothing while it cannot be reached.
pub(super) fn seen(port: u16) -> Option<Vec<Value>> {
    let output = Command::new(tool("amtool"))
        .args([
            &format!("--alertmanager.url=http://127.0.0.1:{port}"),
            "alert",
            "query",
            "-o",
            "json",
        ])
        .output()
        .unwrap();
    let alerts: Vec<Value> = serde_json::from_slice(&output.stdout).ok()?;
    (!alerts.is_empty()).then_some(alerts)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_one_is_told_of_the_alert_and_of_its_end() {
    let (am, state, hook) = (Scratch::new(), Scratch::new(), HttpSink::start());
    let port = free_port();
    let urls = format!("'http://127.0.0.1:{port}'");
    // It is not there yet: nothing is dropped.
    let senders = Senders::start(&receiver(&urls), ledger(state.path()));
    let alert = senders.fire("A");
    let started = alert.fired_at.unwrap().rfc3339();
    let error = eventually("it cannot be reached", DEADLINE, || senders.error("am"));
    let expected = format!("cannot reach `127.0.0.1:{port}`: connection refused");
    assert_eq!(error, expected);
    let _daemon = real(port, &am, &hook);
    let alerts = eventually("amtool shows the alert", DEADLINE, || seen(port));
    let shown = &alerts[0];
    assert_eq!(shown["labels"]["cluster"], "prod");
    assert_eq!(shown["startsAt"].as_str().unwrap(), started);
    assert_eq!(shown["annotations"]["summary"], "A has something to say");
    assert_eq!(
        shown["generatorURL"],
        "https://pgvigil.example/graph?g0.expr=a%20%3E%2080%20and%20b&g0.tab=1"
    );
    let ends: jiff::Timestamp = shown["endsAt"].as_str().unwrap().parse().unwrap();
    let ahead = ends.as_millisecond() - Timestamp::now().0;
    assert!(
        ahead > 23 * 3_600_000,
        "our death is not an all-clear: {shown}"
    );
    senders.stop().await;

    let senders = Senders::start(&receiver(&urls), ledger(state.path()));
    hook.wait_for(1, DEADLINE);
    senders.end(&alert);
    let told = eventually("the end is told", DEADLINE, || {
        let requests = hook.requests();
        requests
            .iter()
            .map(Request::json)
            .find(|body| body["status"] == "resolved")
    });
    // Its webhooks leave out zeros at the end.
    let starts: jiff::Timestamp = told["alerts"][0]["startsAt"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(
        starts.as_millisecond(),
        alert.fired_at.unwrap().0,
        "a restart keeps it"
    );
    assert_eq!(
        hook.requests()
            .iter()
            .filter(|request| request.json()["status"] == "firing")
            .count(),
        1
    );
    senders.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_alert_is_found_and_the_others_are_taken() {
    let sink = HttpSink::start();
    let answer = |status| Answer::new(status, &[], "bad label");
    sink.script([answer(400), answer(200), answer(400)]);
    let senders = Senders::start(&receiver(&format!("'{}'", sink.url())), Ledger::memory());
    let at = Timestamp::now();
    let alerts =
        ["Bad", "Good"].map(|name| crate::incident::opened(&crate::incident::firing(name, at)));
    senders.ledger.record(&alerts);
    let requests = sink.wait_for(3, DEADLINE);
    let sent: Vec<Vec<String>> = requests.iter().map(names).collect();
    assert_eq!(sent, [vec!["Bad", "Good"], vec!["Bad"], vec!["Good"]]);
    let error = eventually("it is said", DEADLINE, || senders.error("am"));
    assert!(
        error.contains(r#"alertname="Good""#) && error.contains("answered 400 `bad label`"),
        "{error}"
    );
    senders.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_that_was_not_taken_survives_a_restart() {
    let (up, state) = (HttpSink::start(), Scratch::new());
    let down = free_port();
    let urls = format!("'{}', 'http://u:hunter2@127.0.0.1:{down}/am'", up.url());
    let senders = Senders::start(&receiver(&urls), ledger(state.path()));
    let host = up.url().replace("http://", "am/");
    let alert = senders.fire("A");
    up.wait_for(1, DEADLINE);
    let error = eventually("one is down", DEADLINE, || {
        senders.error(&format!("am/127.0.0.1:{down}/am"))
    });
    assert!(!error.contains("hunter2"), "{error}");
    assert_eq!(senders.error(&host), None, "the other does not mind");

    up.usually(Answer::new(503, &[], "not now"));
    let incident = alert.incident().unwrap();
    eventually("the opening is noted", DEADLINE, || {
        senders
            .ledger
            .read(|book| book.told(&incident, &host).cloned())
    });
    senders.end(&alert);
    eventually("the end is not taken", DEADLINE, || senders.error(&host));
    senders.kill().await;

    up.usually(Answer::default());
    let before = up.requests().len();
    let senders = Senders::start(&receiver(&urls), ledger(state.path()));
    let requests = up.wait_for(before + 1, DEADLINE);
    let body = requests[before].json();
    assert_eq!(
        body[0]["startsAt"].as_str().unwrap(),
        alert.fired_at.unwrap().rfc3339()
    );
    let ended: jiff::Timestamp = body[0]["endsAt"].as_str().unwrap().parse().unwrap();
    assert!(ended.as_millisecond() <= Timestamp::now().0, "{body}");
    senders.stop().await;
}

/// A7: every alert goes to every Alertmanager, 256 at a time; one that is slow holds nobody up.
#[tokio::test(flavor = "multi_thread")]
async fn many_alerts_go_to_all_in_batches() {
    let (slow, quick) = (HttpSink::start(), HttpSink::start());
    slow.script([Answer::default().after(DEADLINE)]);
    let urls = format!("'{}', '{}'", slow.url(), quick.url());
    let senders = Senders::start(&receiver(&urls), Ledger::memory());
    let at = Timestamp::now();
    let alerts = (0..300).map(|number| crate::incident::firing(&format!("A{number:03}"), at));
    let events: Vec<_> = alerts
        .map(|alert| crate::incident::opened(&alert))
        .collect();
    senders.ledger.record(&events);
    let sizes = |requests: &[Request]| -> Vec<usize> {
        requests.iter().map(|one| names(one).len()).collect()
    };
    assert_eq!(sizes(&quick.wait_for(2, DEADLINE)), [256, 44]);
    assert_eq!(sizes(&slow.requests()), [256], "it has 10 s to answer");
    senders.kill().await;
}
