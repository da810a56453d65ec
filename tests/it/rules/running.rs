//! Rules in the running binary: what a reload keeps and ends (S10, Y2), more results than a limit allows (S9), and a rule
//! whose input is missing.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use crate::harness::{Daemon, HttpSink, Postgres, Scratch, eventually_async, free_port, pgvigil};

const PATIENCE: Duration = Duration::from_secs(60);

/// The binary over a file of rules.
struct Watch {
    scratch: Scratch,
    hook: HttpSink,
    daemon: Daemon,
    url: String,
    client: reqwest::Client,
}

impl Watch {
    /// Every rule is evaluated each second; `more` is the rest of the configuration, its servers among it.
    fn start(rules: &str, more: &str) -> Watch {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (scratch, hook) = (Scratch::new(), HttpSink::start());
        let listen = format!("127.0.0.1:{}", free_port());
        let file = scratch.write("rules.yml", rules);
        let config = format!(
            "listen: {listen}\nstate_dir: {}\ncollect: {{interval: 1s, timeout: 1s, load_budget: off{}}}\n\
             notify: {{receivers: [{{name: team, slack: {{webhook_url: '{}'}}}}]}}\n\
             rules: {{interval: 1s, files: ['{}'], override: {{PgvigilRuleBlind: {{threshold: 1}}}}}}\n{more}\n",
            scratch.join("state").display(),
            included(&scratch),
            hook.url(),
            file.display(),
        );
        let mut command = pgvigil();
        command
            .arg("--config")
            .arg(scratch.write("pgvigil.yml", config));
        Watch {
            scratch,
            hook,
            daemon: Daemon::spawn(command),
            url: format!("http://{listen}"),
            client: reqwest::Client::new(),
        }
    }

    async fn get(&self, path: &str, query: &[(&str, &str)]) -> Option<Value> {
        let url = reqwest::Url::parse_with_params(&format!("{}{path}", self.url), query).unwrap();
        let answer = self.client.get(url).send().await.ok()?.text().await.ok()?;
        serde_json::from_str::<Value>(&answer).ok()
    }

    /// The one alert of a name that is pending or firing.
    async fn alert(&self, name: &str) -> Option<Value> {
        let alerts = self.get("/api/v1/alerts", &[]).await?;
        let alerts = alerts["data"]["alerts"].as_array()?;
        alerts
            .iter()
            .find(|alert| alert["labels"]["alertname"] == name)
            .cloned()
    }

    async fn firing(&self, name: &str) -> Value {
        let firing = || async {
            self.alert(name)
                .await
                .filter(|alert| alert["state"] == "firing")
        };
        eventually_async(&format!("`{name}` fires"), PATIENCE, firing).await
    }

    /// The values of an expression now.
    async fn values(&self, expression: &str) -> Option<Vec<Value>> {
        let answer = self.get("/api/v1/query", &[("query", expression)]).await?;
        answer["data"]["result"].as_array().cloned()
    }

    async fn until(
        &self,
        what: &str,
        expression: &str,
        met: impl Fn(&[Value]) -> bool,
    ) -> Vec<Value> {
        let asked = || async { self.values(expression).await.filter(|values| met(values)) };
        eventually_async(what, PATIENCE, asked).await
    }
}

/// A user's own collectors, where there is a file of them.
fn included(scratch: &Scratch) -> String {
    let own: PathBuf = scratch.write("own/own.yml", OWN);
    format!(", include: ['{}']", own.display())
}

const OWN: &str = "name: own\ndoc: A share.\ninterval: 1s\nqueries: [{sql: SELECT 10 / (SELECT count(*) FROM orders) AS share}]\n\
                   metrics: {own_share: {from: share, unit: shares, help: A share.}}\n";

const NOBODY: &str = "servers: [{name: gone, url: 'postgresql://u@127.0.0.1:1/x'}]";

const BEFORE: &str = "
groups:
- name: steady
  interval: 1s
  rules:
  - {alert: Steady, expr: vector(1)}
  - {record: steady_ones, expr: vector(1)}
- name: edited
  interval: 1s
  rules:
  - {alert: Edited, expr: vector(1), annotations: {summary: as it was}}
  - {alert: Removed, expr: vector(2), annotations: {summary: to be taken out}}
  - {record: removed_twos, expr: vector(2)}
- name: limited
  interval: 1s
  limit: 1
  rules:
  - {alert: Limited, expr: vector(3)}
";

const AFTER: &str = "
groups:
- name: steady
  interval: 1s
  rules:
  - {alert: Steady, expr: vector(1)}
  - {record: steady_ones, expr: vector(1)}
- name: edited
  interval: 1s
  rules:
  - {alert: Edited, expr: vector(1) > 0, for: 1h, annotations: {summary: as it is}}
- name: limited
  interval: 1s
  limit: 1
  rules:
  - {alert: Limited, expr: 'vector(3) or label_replace(vector(4), \"x\", \"y\", \"\", \"\")'}
";

/// S10: what is unchanged goes on as if nothing had happened, an edited rule keeps its alerts, whoever was told of an
/// alert whose rule is removed is told of its end and the reason, and its series end. S9: over its limit a rule keeps
/// its alerts, and another alert says so.
#[tokio::test(flavor = "multi_thread")]
async fn a_reload_keeps_what_it_can_and_ends_what_it_must() {
    let watch = Watch::start(BEFORE, NOBODY);
    let mut before = Vec::new();
    for name in ["Steady", "Edited", "Removed", "Limited"] {
        before.push(watch.firing(name).await);
    }
    watch
        .until("it is recorded", "removed_twos", |found| found.len() == 1)
        .await;
    let told = |word: &str| {
        watch
            .hook
            .requests()
            .iter()
            .any(|one| one.body.contains(word))
    };
    eventually_async("the team is told", PATIENCE, || async {
        told("to be taken out").then_some(())
    })
    .await;
    watch
        .until(
            "there is a history",
            "count_over_time(steady_ones[1m])",
            |found| {
                found.first().is_some_and(|one| {
                    one["value"][1].as_str().unwrap().parse::<u32>().unwrap() >= 3
                })
            },
        )
        .await;

    watch.scratch.write("rules.yml", AFTER);
    watch.daemon.signal("HUP");
    let over = watch.firing("PgvigilRuleOverLimit").await;
    assert_eq!(over["labels"]["rule"], "Limited");
    assert_eq!(over["labels"]["rule_group"], "limited");
    assert_eq!(over["value"], "1e+00");
    watch
        .until(
            "series of the removed rules end",
            "{__name__='removed_twos'} or ALERTS{alertname='Removed'}",
            <[Value]>::is_empty,
        )
        .await;
    watch
        .until("the recorded series goes on", "steady_ones", |found| {
            found.len() == 1
        })
        .await;
    eventually_async("the end is told with its reason", PATIENCE, || async {
        told("rule removed").then_some(())
    })
    .await;
    assert_eq!(watch.alert("Removed").await, None);
    for (name, before) in ["Steady", "Edited", "Limited"]
        .iter()
        .zip([&before[0], &before[1], &before[3]])
    {
        let now = watch.firing(name).await;
        assert_eq!(
            (&now["activeAt"], &now["state"]),
            (&before["activeAt"], &before["state"]),
            "{name}"
        );
    }
    let edited = watch.firing("Edited").await;
    assert_eq!(edited["annotations"]["summary"], "as it is");
    // No slot of the unchanged group was left out without being counted, nor a series of it interrupted.
    let missed = "pgvigil_rule_group_iterations_missed_total{rule_group='steady'}";
    let slots = watch
        .until("the group is known", missed, |found| found.len() == 1)
        .await;
    let missed: f64 = slots[0]["value"][1].as_str().unwrap().parse().unwrap();
    let gaps = "(max_over_time(timestamp(steady_ones)[5m:1s]) - min_over_time(timestamp(steady_ones)[5m:1s]) + 1) - count_over_time(steady_ones[5m])";
    let gaps = watch
        .until("the history is there", gaps, |found| found.len() == 1)
        .await;
    let gaps: f64 = gaps[0]["value"][1].as_str().unwrap().parse().unwrap();
    assert!(
        gaps <= missed,
        "{gaps} slots are gone, {missed} were counted as missed"
    );
}

const OWN_RULES: &str = "
groups:
- name: own
  interval: 1s
  rules:
  - {record: share, expr: own_share * 1}
  - {alert: OwnShare, expr: share > 1}
  - {alert: Other, expr: pg_up == 0}
";

/// Issue 5, \"no data is not fine\": a rule whose input has been missing raises its own alert, through a recording rule too.
#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_cannot_see_says_so() {
    let postgres = Postgres::start(18);
    postgres.sql("postgres", "CREATE TABLE orders AS SELECT 1 AS id");
    let servers = format!(
        "servers: [{{name: rachel, url: '{}'}}]",
        postgres.url("postgres", "postgres")
    );
    let watch = Watch::start(OWN_RULES, &servers);
    watch.firing("OwnShare").await;
    postgres.sql("postgres", "DELETE FROM orders");
    let blind = watch.firing("PgvigilRuleBlind").await;
    assert_eq!(blind["labels"]["rule"], "OwnShare");
    let description = blind["annotations"]["description"].as_str().unwrap();
    assert!(
        description.starts_with("`rachel/own` gives nothing. "),
        "{description}"
    );
    let all = watch
        .values("pgvigil_rule_input_missing_seconds")
        .await
        .unwrap();
    assert_eq!(all.len(), 1, "other rules see: {all:?}");
    watch.firing("OwnShare").await;
    postgres.sql("postgres", "INSERT INTO orders SELECT 1");
    eventually_async("the rule sees again", PATIENCE, || async {
        watch
            .alert("PgvigilRuleBlind")
            .await
            .is_none()
            .then_some(())
    })
    .await;
}
