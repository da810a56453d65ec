//! Patroni as it is watched: a real node beside its own page, and APIs that misbehave.

use std::collections::BTreeMap;
use std::time::Duration;

use pgvigil::document::{Reader, parse};
use pgvigil::patroni::{self, METRICS, Settings, ask, once};
use pgvigil::sample::MetricKind;

use super::harness::{Answer, HttpSink, Patroni, eventually, free_port};
use super::pgbouncer::watched;

const PATIENCE: Duration = Duration::from_secs(60);

fn settings(text: &str) -> Settings {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let reader = Reader::new(Some(&|_| None));
    let root = parse("test", text).unwrap();
    let settings = reader.read(&root, Settings::read);
    assert_eq!(reader.problems(), []);
    settings.unwrap()
}

/// What is read, by `name{labels}` as Patroni's own page writes it.
async fn read(settings: &Settings) -> BTreeMap<String, f64> {
    let readings = once(settings).await.unwrap();
    let samples = readings
        .into_iter()
        .flat_map(|reading| reading.outcome.unwrap());
    samples
        .map(|sample| {
            let labels =
                ["scope", "name"].map(|label| (label, sample.labels.get(label).to_owned()));
            let labels: Vec<String> = labels
                .iter()
                .filter(|(_, value)| !value.is_empty())
                .map(|(label, value)| format!("{label}=\"{value}\""))
                .collect();
            let key = format!("{}{{{}}}", sample.family.name, labels.join(","));
            (key, sample.value)
        })
        .collect()
}

fn live(patroni: &Patroni) -> String {
    format!(
        "{{name: live, url: '{}', ca: {}}}",
        patroni.url(),
        patroni.ca().display()
    )
}

#[tokio::test]
async fn a_node_is_told_as_its_own_page_tells_it() {
    let patroni = Patroni::start();
    patroni.configure(r#"{"pause": true, "postgresql": {"parameters": {"max_connections": 33}}}"#);
    let settings = settings(&live(&patroni));
    let page = eventually("it is paused and wants a restart", PATIENCE, || {
        let page = patroni.get("/metrics")?;
        let is = |name: &str| {
            page.lines()
                .any(|line| line.starts_with(name) && line.ends_with(" 1"))
        };
        (is("patroni_is_paused") && is("patroni_pending_restart")).then_some(page)
    });
    let ours = read(&settings).await;
    assert_eq!(ours["patroni_up{}"], 1.0);
    assert_eq!(ours["patroni_cluster_member_info{scope=\"demo\"}"], 1.0);
    check_page(&ours, &page);

    let told = ask(&settings).await.unwrap().to_string();
    assert!(
        told.starts_with("Patroni ") && told.contains("`demo`") && told.ends_with(", running"),
        "{told}"
    );

    fails_alone(&patroni).await;
}

/// What is 0 there for want of an answer is absent here; what moves on has not moved far.
fn check_page(ours: &BTreeMap<String, f64>, page: &str) {
    let samples = page.lines().filter(|line| !line.starts_with('#'));
    for line in samples {
        let (series, value) = line.rsplit_once(' ').unwrap();
        let (series, value) = (series.replace(' ', ""), value.parse::<f64>().unwrap());
        if series.starts_with("patroni_master") {
            continue;
        }
        let moved = match series.split('{').next().unwrap() {
            "patroni_dcs_last_seen" => 30.0,
            "patroni_xlog_location" => 64.0 * 1024.0 * 1024.0,
            _ => 1e-3,
        };
        match ours.get(&series) {
            Some(ours) => assert!((ours - value).abs() <= moved, "{line}: {ours}"),
            None => assert_eq!(value, 0.0, "{line}"),
        }
    }
    for (name, kind) in page
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '))
    {
        let declared = METRICS.iter().find(|metric| metric.name == name);
        let wanted = if kind == "counter" {
            MetricKind::Counter
        } else {
            MetricKind::Gauge
        };
        assert!(
            name == "patroni_master" || declared.is_some_and(|metric| metric.kind == wanted),
            "{name} {kind}"
        );
    }
}

async fn fails_alone(patroni: &Patroni) {
    let watched = watched(&format!(
        "patronis: [{}, {{name: dead, url: 'http://127.0.0.1:{}', user: u, password: s3cr3t}}]\n",
        live(patroni).replace("name: live", "name: live, timeout: 1s"),
        free_port(),
    ));
    watched.shows(&[
        "patroni_up{server=\"live\"} 1",
        "patroni_up{server=\"dead\"} 0",
        "pgvigil_collector_success{collector=\"patroni\",server=\"dead\"} 0",
        "pgvigil_collector_success{collector=\"patroni_cluster\",server=\"live\"} 1",
        "patroni_is_paused{scope=\"demo\",server=\"live\"} 1",
    ]);
    patroni.freeze();
    eventually("what it said has expired", PATIENCE, || {
        let page = watched.page()?;
        let down = page.contains("patroni_up{server=\"live\"} 0\n");
        (down && !page.contains("patroni_is_paused{")).then_some(())
    });
    patroni.thaw();
    watched.shows(&["patroni_up{server=\"live\"} 1"]);
    let logged = watched.output();
    assert!(
        logged.contains("Patroni cannot be read") && !logged.contains("s3cr3t"),
        "{logged}"
    );
}

#[tokio::test]
async fn what_is_no_patroni_is_named_without_the_secret() {
    let sink = HttpSink::start();
    let settings = settings(&format!(
        "{{url: '{}/below', user: mon, password: s3cr3t, timeout: 500ms}}",
        sink.url()
    ));
    let slow = Answer::default().after(Duration::from_secs(2));
    let cases = [
        (
            Answer::new(401, &[], ""),
            "answered 401\nhint: check `user`",
        ),
        (
            Answer::new(404, &[], ""),
            "answered 404\nhint: check that `url`",
        ),
        (
            Answer::new(302, &[("Location", "http://127.0.0.1:1/")], ""),
            "answered 302",
        ),
        (
            Answer::new(200, &[], "<html>"),
            "does not answer as a Patroni would",
        ),
        (
            Answer::new(200, &[], "{\"state\": \"running\"}"),
            "missing field `patroni`",
        ),
        (slow, "within 500ms"),
    ];
    for (answer, said) in cases {
        sink.script([answer]);
        let error = patroni::ask(&settings).await.unwrap_err();
        assert!(error.contains(said) && !error.contains("s3cr3t"), "{error}");
    }
    let request = &sink.requests()[0];
    assert_eq!(request.path, "/below/patroni");
    assert_eq!(
        request.header("authorization"),
        Some("Basic bW9uOnMzY3IzdA==")
    );
}
