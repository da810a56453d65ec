//! Rules and alerts of a real pgvigil, beside a Prometheus that evaluates the same file.

use std::time::Duration;

use pgvigil::sample::Timestamp;
use regex::Regex;
use serde_json::Value;

use super::corpus::{self, Answer};
use crate::harness::{Daemon, Prometheus, Scratch, eventually_async, free_port, pgvigil};

const REQUESTS: &str = include_str!("rules.txt");

/// Every kind and state of rule. One alert ends at `until`, and another goes on firing after its condition.
fn rules(until: i64) -> String {
    format!(
        r#"
groups:
- name: records
  interval: 1s
  labels: {{team: a}}
  rules:
  - record: team:ones
    expr: sum by(team)(vector(1))
    labels: {{kind: sum}}
  - record: broken
    expr: label_replace(vector(1), "a", "b", "c", "(")
- name: alerts
  interval: 1s
  limit: 10
  rules:
  - alert: Firing
    expr: vector(41) + 1 > 0
    labels: {{severity: page, text: '{{{{ $value }}}} <b>'}}
    annotations: {{summary: 'is <b>{{{{ $value }}}}</b> & more'}}
  - alert: Pending
    expr: vector(0.25)
    for: 1h30m
    labels: {{team: b, severity: ticket}}
  - alert: Quiet
    expr: vector(1) > 2
    keep_firing_for: 90s
  - alert: Kept
    expr: vector(time()) < {until}
    keep_firing_for: 1h
  - alert: Broken
    expr: label_replace(vector(1), "a", "b", "c", "(")
- name: bare
  interval: 1500ms
  rules:
  - record: bare
    expr: vector(1)
- name: seldom
  interval: 10000h
  rules:
  - alert: Unknown
    expr: vector(1)
  - record: unknown
    expr: vector(1)
- name: empty
  rules: []
"#
    )
}

/// What two evaluations at different times cannot have in common.
fn masked(answer: &Answer) -> Answer {
    let fields = [
        // Since 3.8 a rule that was never evaluated says so; the Prometheus beside us is older.
        (r#""state":"unknown""#, r#""state":"inactive""#),
        // When it was: each has slots of its own.
        (
            r#""(lastEvaluation|activeAt|keepFiringSince)":"2[^"]*""#,
            r#""$1":"…""#,
        ),
        // How long it took.
        (
            r#""evaluationTime":[1-9.][0-9.e-]*|"evaluationTime":0\.[0-9]+"#,
            r#""evaluationTime":…"#,
        ),
        // What the time was when the condition last held.
        (r#"("alertname":"Kept".*?"value":)"[^"]*""#, r#"$1"…""#),
        // Expressions that fail tell it in words of the regular expressions of Go and of Rust.
        (r#""lastError":"[^"]*""#, r#""lastError":"…""#),
    ];
    let mut answer = answer.clone();
    for (pattern, replaced) in fields {
        let pattern = Regex::new(pattern).unwrap();
        answer.body = pattern.replace_all(&answer.body, replaced).into_owned();
    }
    let Ok(mut json) = serde_json::from_str::<Value>(&answer.body.replace(":…", ":\"…\""))
    else {
        return answer;
    };
    // Prometheus shows the alerts of all rules in the order of its groups, which pgvigil has of its own.
    if let Some(alerts) = json
        .pointer_mut("/data/alerts")
        .and_then(Value::as_array_mut)
    {
        alerts.retain(|alert| {
            ["Firing", "Pending", "Kept"].contains(&alert["labels"]["alertname"].as_str().unwrap())
        });
        alerts.sort_by_key(|alert| alert["labels"].to_string());
        answer.body = json.to_string();
    }
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_and_alerts_are_told_as_prometheus_tells_them() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let scratch = Scratch::new();
    let until = Timestamp::now().0 / 1000 + 10;
    let file = scratch
        .write("rules.yml", rules(until))
        .display()
        .to_string();
    let listen = format!("127.0.0.1:{}", free_port());
    let config = format!(
        "listen: {listen}\nstate_dir: {}\nrules: {{files: ['{file}']}}\nservers: [{{name: gone, url: 'postgresql://u@127.0.0.1:1/x'}}]\n",
        scratch.join("state").display()
    );
    let mut command = pgvigil();
    command
        .arg("--config")
        .arg(scratch.write("pgvigil.yml", config));
    let _daemon = Daemon::spawn(command);
    let prometheus = Prometheus::configured(&format!("rule_files: ['{file}']\n"), &[]);
    let (client, own) = (reqwest::Client::new(), format!("http://{listen}"));
    let first = format!("{own}/api/v1/rules?file[]={file}&group_limit=1");
    let token = eventually_async("a page of rules", Duration::from_secs(60), || async {
        let answer = client.get(&first).send().await.ok()?.text().await.ok()?;
        let json: Value = serde_json::from_str(&answer).unwrap();
        Some(json["data"]["groupNextToken"].as_str()?.to_owned())
    })
    .await;
    let requests = REQUESTS.replace("FILE", &file).replace("TOKEN", &token);
    for line in corpus::lines(&requests) {
        let mut last = String::new();
        for _ in 0..300 {
            let theirs = masked(&corpus::at(&client, &prometheus.url(), &line).await);
            let ours = masked(&corpus::at(&client, &own, &line).await);
            last = if ours == theirs {
                String::new()
            } else {
                format!("theirs {theirs:?}\nours   {ours:?}")
            };
            // Until the alert that is kept firing has begun to be kept.
            let kept = line.path != "alerts" || ours.body.contains("keepFiringSince");
            if last.is_empty() && kept {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert!(last.is_empty(), "{}\n{last}", line.text);
    }
}
