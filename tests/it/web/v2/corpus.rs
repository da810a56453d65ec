//! Every request of a corpus, asked of pgvigil and of Debian's Alertmanager.

use std::process::Command;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use pgvigil::incident::Ledger;
use pgvigil::sample::Timestamp;
use serde_json::Value;

use super::{TOKEN, alerts, audience, send, service, told, with_token};
use crate::harness::{Daemon, Scratch, eventually_async, free_port, tool};
use crate::notify::DEADLINE;

const CORPUS: &str = include_str!("corpus.txt");

const CONFIG: &str = "
route:
  receiver: oncall
  group_wait: 0s
  group_interval: 1h
  routes:
    - {receiver: team, matchers: ['severity=\"critical\"'], continue: true}
    - {receiver: oncall}
receivers: [{name: team}, {name: oncall}]
inhibit_rules:
  - {source_matchers: ['severity=\"critical\"'], target_matchers: ['severity=\"warning\"'], equal: [alertname, instance]}
";

/// What names the program and not the answer.
const NAMES: [&str; 8] = [
    "original",
    "uptime",
    "branch",
    "buildDate",
    "buildUser",
    "goVersion",
    "revision",
    "version",
];

struct Line<'c> {
    text: &'c str,
    worded: bool,
    method: &'c str,
    kind: &'static str,
    path: &'c str,
    rest: &'c str,
}

fn lines() -> impl Iterator<Item = Line<'static>> {
    let lines = CORPUS.lines();
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|text| {
        let rest = text.trim_start_matches("= ");
        let (method, rest) = rest.split_once(' ').unwrap();
        let (kind, rest) = match rest.strip_prefix("text ") {
            Some(rest) => ("text/plain", rest),
            None => ("application/json", rest),
        };
        let (path, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        Line {
            text,
            worded: !text.starts_with('='),
            method,
            kind,
            path,
            rest,
        }
    })
}

/// One of the two that are asked: the ids it has given to silences.
#[derive(Default)]
struct Side {
    ids: Vec<String>,
}

impl Side {
    /// Path and body with its own ids, and with the time of the machine.
    fn request(&self, line: &Line) -> (String, String) {
        let own = |text: &str| {
            let mut text = text.replace("$now", &Timestamp::now().rfc3339());
            for (place, id) in self.ids.iter().enumerate() {
                text = text.replace(&format!("${}", place + 1), id);
            }
            text
        };
        match line.rest.strip_prefix('?') {
            Some(query) => {
                let pairs = query.split('&').map(|pair| {
                    let (name, value) = pair.split_once('=').unwrap();
                    format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC))
                });
                let query: Vec<String> = pairs.collect();
                (
                    format!("/api/v2/{}?{}", own(line.path), query.join("&")),
                    String::new(),
                )
            }
            None => (format!("/api/v2/{}", own(line.path)), own(line.rest)),
        }
    }

    /// What of an answer counts.
    fn counts(&mut self, line: &Line, status: u16, kind: &str, text: &str) -> String {
        let mut json: Value = serde_json::from_str(text).unwrap_or_else(|_| Value::from(text));
        if let Some(id) = json["silenceID"].as_str()
            && !self.ids.iter().any(|known| known == id)
        {
            self.ids.push(id.to_owned());
        }
        self.level(&mut json, "");
        if !line.worded && status >= 400 {
            json = Value::Null;
        }
        format!("{status} {kind} {json}")
    }

    fn level(&self, json: &mut Value, key: &str) {
        match json {
            Value::String(text) if NAMES.contains(&key) => *text = "<name>".into(),
            Value::String(text) => {
                for (place, id) in self.ids.iter().enumerate() {
                    *text = text.replace(id, &format!("<{}>", place + 1));
                }
                let moment = text.parse::<jiff::Timestamp>().ok();
                let now = jiff::Timestamp::now().as_second();
                if moment.is_some_and(|at| (at.as_second() - now).abs() < 2 * 86_400) {
                    *text = "<now>".into();
                }
            }
            Value::Array(items) => {
                items.iter_mut().for_each(|item| self.level(item, key));
                // Their order is chance there.
                if ["silencedBy", "alerts"].contains(&key) {
                    items.sort_by_key(|item| match &item["fingerprint"] {
                        Value::Null => item.to_string(),
                        fingerprint => fingerprint.to_string(),
                    });
                }
            }
            Value::Object(members) => {
                members
                    .iter_mut()
                    .for_each(|(key, value)| self.level(value, key));
                members.sort_keys();
            }
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn m24_every_request_of_the_corpus_is_answered_as_alertmanager_does() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (state, port) = (Scratch::new(), free_port());
    let mut command = Command::new(tool("alertmanager"));
    let config = state.write("am.yml", CONFIG);
    command
        .arg(format!("--config.file={}", config.display()))
        .arg(format!("--storage.path={}", state.join("data").display()))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .arg("--cluster.listen-address=");
    let _daemon = Daemon::spawn(command);
    let base = format!("http://127.0.0.1:{port}");
    let client = reqwest::Client::new();
    let pushed: Vec<Value> = alerts()
        .iter()
        .map(|alert| audience().pushed(alert, Timestamp::now()))
        .collect();
    let post = || {
        client
            .post(format!("{base}/api/v2/alerts"))
            .json(&pushed)
            .send()
    };
    eventually_async("Alertmanager takes the alerts", DEADLINE, async || {
        post()
            .await
            .ok()
            .filter(|answer| answer.status().is_success())
    })
    .await;
    eventually_async("it has them in groups", DEADLINE, async || {
        let groups = client
            .get(format!("{base}/api/v2/alerts/groups"))
            .send()
            .await
            .ok()?;
        let groups: Value = groups.json().await.ok()?;
        let alerts = groups
            .as_array()?
            .iter()
            .map(|group| group["alerts"].as_array().map_or(0, Vec::len));
        (alerts.sum::<usize>() == 4).then_some(())
    })
    .await;

    let ours = service(&told(Ledger::memory()), &with_token());
    let (mut here, mut there) = (Side::default(), Side::default());
    let (mut count, mut different) = (0, Vec::new());
    for line in lines() {
        let (path, body) = there.request(&line);
        let method = line.method.parse().unwrap();
        let request = client
            .request(method, format!("{base}{path}"))
            .header("content-type", line.kind)
            .body(body);
        let answer = request.send().await.unwrap();
        let kind = answer.headers().get("content-type").cloned();
        let kind = kind
            .map(|kind| kind.to_str().unwrap().to_owned())
            .unwrap_or_default();
        let status = answer.status().as_u16();
        let theirs = there.counts(&line, status, &kind, &answer.text().await.unwrap());

        let (path, body) = here.request(&line);
        let bearer = format!("Bearer {TOKEN}");
        let headers = [("content-type", line.kind), ("authorization", &bearer)];
        let answer = send(&ours, line.method, &path, &headers, &body).await;
        let kind = answer.headers.get("content-type");
        let kind = kind.map(|kind| kind.to_str().unwrap()).unwrap_or_default();
        let ours = here.counts(&line, answer.status.as_u16(), kind, &answer.text);
        count += 1;
        if ours != theirs {
            different.push(format!("{}\n  theirs {theirs}\n  ours   {ours}", line.text));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
    assert!(count > 80, "{count}");
}
