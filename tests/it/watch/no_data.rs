//! Claim 13: no data is not "fine", through recording rules, across targets and after a restart. In Prometheus a failed
//! scrape resolves every alert over it (Y5 of alerting.md), and a restart whatever was not there at once.

use crate::harness::{HttpSink, Postgres, eventually};

use super::{PATIENCE, Stage};

const RULES: &str = r#"
groups:
  - name: recorded
    interval: 1s
    rules:
      - record: job:connections
        expr: sum by (job, instance, server) (pg_stat_activity_count)
  - name: test
    interval: 1s
    rules:
      - alert: ManyConnections
        expr: job:connections > 8
        labels: {severity: warning}
"#;

fn told(hook: &HttpSink, words: &str) -> usize {
    let requests = hook.requests();
    let texts = requests
        .iter()
        .map(|request| request.json()["text"].as_str().unwrap().to_owned());
    texts.filter(|text| text.contains(words)).count()
}

#[test]
fn no_data_is_not_fine_through_rules_across_servers_and_after_a_restart() {
    let stage = Stage::set(15);
    let second = Postgres::start(15);
    let config = std::fs::read_to_string(&stage.config).unwrap();
    let monica = format!(
        "servers: [{{name: monica, url: '{}'}}, ",
        second.url("postgres", "postgres")
    );
    stage
        .scratch
        .write("pgvigil.yml", config.replace("servers: [", &monica));
    stage.scratch.write("rules.yml", RULES);
    let watch = stage.watch();
    stage.shows("pg_up{server=\"rachel\"} 1");
    stage.shows("pg_up{server=\"monica\"} 1");
    let rachels = stage.sessions(12);
    let monicas = super::sessions(&second, 12);
    let is_told = |words: &str| {
        eventually(words, PATIENCE, || {
            (told(&stage.hook, words) > 0).then_some(())
        });
    };
    is_told("ManyConnections on rachel");
    is_told("ManyConnections on monica");
    let ends = |server: &str| {
        told(
            &stage.hook,
            &format!("RESOLVED: ManyConnections on {server}"),
        )
    };

    stage.postgres.freeze();
    stage.shows("pg_up{server=\"rachel\"} 0");
    eventually("nothing is read of rachel any more", PATIENCE, || {
        let page = stage.page("/metrics")?;
        let mut counts = page
            .lines()
            .filter(|line| line.starts_with("pg_stat_activity_count{"));
        counts.all(|line| !line.contains("rachel")).then_some(())
    });
    drop(monicas);
    is_told("RESOLVED: ManyConnections on monica");
    assert_eq!(ends("rachel"), 0, "another server's end is not hers");

    watch.signal("KILL");
    drop(watch);
    let _watch = stage.watch();
    stage.shows("pg_up{server=\"rachel\"} 0");
    stage.has_evaluated(12.0);
    eventually("the page says that it cannot be judged", PATIENCE, || {
        stage.page("/")?.contains("Stale for").then_some(())
    });
    assert_eq!(
        ends("rachel"),
        0,
        "what a new process has not seen is no end"
    );

    stage.postgres.thaw();
    drop(rachels);
    is_told("RESOLVED: ManyConnections on rachel");
    assert_eq!(ends("rachel"), 1);
    // The kill may have come before it was noted that monica's end was taken: then it is told once more.
    assert!([1, 2].contains(&ends("monica")), "{}", ends("monica"));
}
