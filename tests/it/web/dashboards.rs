//! The shipped dashboards: Grafana's schema, and rules of our own.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use pgvigil::promql::Query;
use pgvigil::{app, collectors, web};
use serde_json::Value;

use super::ingest::{Prometheus, Reader};
use crate::harness::{
    Daemon, HttpSink, Postgres, Scratch, eventually_async, free_port, pgvigil, tool,
};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("dashboards")
}

fn dashboards() -> Vec<(PathBuf, Value)> {
    let entries = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let files = entries.filter(|path| {
        path.extension()
            .is_some_and(|extension| extension == "json")
    });
    let read = files.map(|path| {
        let text = std::fs::read_to_string(&path).unwrap();
        (path, serde_json::from_str(&text).unwrap())
    });
    let found: Vec<(PathBuf, Value)> = read.collect();
    assert!(!found.is_empty());
    found
}

/// All panels but rows, those inside of rows included.
fn panels(dashboard: &Value) -> Vec<&Value> {
    let top = dashboard["panels"].as_array().unwrap();
    let inside = top
        .iter()
        .filter_map(|panel| panel["panels"].as_array())
        .flatten();
    top.iter()
        .chain(inside)
        .filter(|panel| panel["type"] != "row")
        .collect()
}

/// An expression with every variable replaced by something that any value matches.
fn filled(expression: &str) -> String {
    let words = [
        ("$__rate_interval", "10s"),
        ("$__interval", "10s"),
        ("$__range", "1m"),
        ("$job", ".*"),
        ("$instance", ".*"),
        ("$datname", ".*"),
    ];
    words
        .iter()
        .fold(expression.to_owned(), |text, (variable, value)| {
            text.replace(variable, value)
        })
}

#[test]
fn nothing_is_lost_on_the_way_through_grafanas_models() {
    for (path, _) in dashboards() {
        let output = Command::new(tool("python3"))
            .arg(folder().join("schema.py"))
            .arg(&path)
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        assert!(
            output.status.success(),
            "{}: {}",
            path.display(),
            String::from_utf8_lossy(&said)
        );
    }
}

#[test]
fn panels_are_told_apart_explained_and_answerable() {
    let known = known();
    for (_, dashboard) in dashboards() {
        let mut ids = BTreeSet::new();
        let mut cells = BTreeSet::new();
        for panel in dashboard["panels"].as_array().unwrap() {
            assert!(
                ids.insert(panel["id"].as_u64().unwrap()),
                "{}",
                panel["title"]
            );
            let at = |name: &str| panel["gridPos"][name].as_u64().unwrap();
            assert!(at("x") + at("w") <= 24, "{}", panel["title"]);
            for x in at("x")..at("x") + at("w") {
                for y in at("y")..at("y") + at("h") {
                    assert!(cells.insert((x, y)), "{} overlaps", panel["title"]);
                }
            }
        }
        let variables = variables(&dashboard);
        for panel in panels(&dashboard) {
            let title = panel["title"].as_str().unwrap();
            assert!(!title.is_empty());
            for text in [
                &panel["description"],
                &panel["fieldConfig"]["defaults"]["unit"],
            ] {
                assert!(
                    text.as_str().is_some_and(|text| !text.is_empty()),
                    "{title}"
                );
            }
            let mut names = BTreeSet::new();
            for target in panel["targets"].as_array().unwrap() {
                assert!(names.insert(target["refId"].as_str().unwrap()), "{title}");
                assert_eq!(target["datasource"]["uid"], "${datasource}", "{title}");
                let expression = target["expr"].as_str().unwrap();
                for variable in used(expression) {
                    assert!(
                        variables.contains(&variable),
                        "{title}: ${variable} is not defined"
                    );
                }
                let query = Query::parse(&filled(expression))
                    .unwrap_or_else(|error| panic!("{title}: {error}"));
                let unknown: Vec<String> = query
                    .metrics()
                    .into_iter()
                    .filter(|name| !known.contains(name))
                    .collect();
                assert!(unknown.is_empty(), "{title}: nothing collects {unknown:?}");
            }
        }
    }
}

fn variables(dashboard: &Value) -> BTreeSet<String> {
    let list = dashboard["templating"]["list"].as_array().unwrap();
    let names = list
        .iter()
        .map(|variable| variable["name"].as_str().unwrap().to_owned());
    let built_in = ["__rate_interval", "__interval", "__range"].map(str::to_owned);
    names.chain(built_in).collect()
}

fn used(expression: &str) -> impl Iterator<Item = String> {
    let after = expression.split('$').skip(1);
    after.map(|rest| {
        rest.chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect()
    })
}

/// Every name that anything declares; Prometheus itself adds `ALERTS`.
fn known() -> BTreeSet<String> {
    let catalogue = collectors::load(&[]).unwrap();
    let on_the_page = web::METRICS.iter().map(|metric| metric.name.to_owned());
    app::selectable_metrics(&catalogue, false)
        .into_iter()
        .chain(on_the_page)
        .chain(["ALERTS".to_owned()])
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_panel_has_data_on_a_real_prometheus_and_on_pgvigil_itself() {
    let scratch = Scratch::new();
    let primary = Postgres::with(18, &["archive_mode=on", "archive_command=/bin/true"]);
    let standby = primary.standby();
    fill(&primary);
    let dumps = scratch.join("dumps");
    std::fs::create_dir(&dumps).unwrap();
    let dump = format!("--file={}", dumps.join("shop_1.sql").display());
    let dumped = primary
        .command("pg_dump")
        .args([&primary.url("postgres", "postgres"), &dump])
        .status();
    assert!(dumped.unwrap().success());

    let port = free_port();
    let receiver = HttpSink::start();
    let config = scratch.write(
        "pgvigil.yml",
        configuration(
            port,
            &scratch,
            &receiver,
            &[("primary", &primary), ("standby", &standby)],
        ),
    );
    let mut command = pgvigil();
    command.arg("serve").arg("--config").arg(config);
    let watch = Daemon::spawn(command);
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("alerts/*.yml");
    let prometheus = Prometheus::start(
        &scratch,
        &format!(
            "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\nrule_files: ['{}']\nscrape_configs:\n  \
         - {{job_name: pgvigil, static_configs: [{{targets: ['127.0.0.1:{port}']}}]}}\n",
            rules.display(),
        ),
    );
    prometheus.await_one("up == 1").await;
    for (name, source) in [("Prometheus", &*prometheus), ("pgvigil", &Reader::at(port))] {
        for (_, dashboard) in dashboards() {
            for target in panels(&dashboard).iter().flat_map(|panel| targets(panel)) {
                let (what, expression) = (format!("{name}: {}", target.0), target.1);
                let deadline = Duration::from_secs(90);
                let waiting = format!("{what}: {expression}\n{}", watch.output());
                let series = eventually_async(&waiting, deadline, || async {
                    primary.sql(
                        "postgres",
                        "UPDATE goods SET price = price + 1 WHERE id = 1",
                    );
                    Some(source.query(&expression).await).filter(|series| !series.is_empty())
                })
                .await;
                for label in target.2 {
                    let named = |labels: &String| labels.contains(&format!("\"{label}\":"));
                    let all = series.keys().all(named);
                    assert!(all, "{what}: {label} is not on {series:#?}");
                }
            }
            for (label, selector) in looked_up(&dashboard) {
                let found = source.values(&label, &selector).await;
                assert!(
                    !found.is_empty(),
                    "{name}: no value of {label} on {selector}"
                );
            }
        }
    }
}

/// The title of a panel with each of its expressions, filled, and the labels that its legend names.
fn targets(panel: &Value) -> Vec<(String, String, Vec<String>)> {
    let each = panel["targets"].as_array().unwrap().iter().map(|target| {
        let text = |key: &str| target[key].as_str().unwrap();
        let labels = text("legendFormat").split("{{").skip(1);
        let labels = labels.filter_map(|rest| Some(rest.split_once("}}")?.0.to_owned()));
        let title = panel["title"].as_str().unwrap().to_owned();
        (title, filled(text("expr")), labels.collect())
    });
    each.collect()
}

fn fill(primary: &Postgres) {
    primary.sql(
        "postgres",
        "CREATE TABLE goods (id int PRIMARY KEY, price int)",
    );
    primary.sql(
        "postgres",
        "INSERT INTO goods SELECT n, n FROM generate_series(1, 1000) n",
    );
    primary.sql("postgres", "CREATE INDEX goods_price ON goods (price)");
    primary.sql(
        "postgres",
        "SELECT count(*) FROM goods WHERE id < 10; ANALYZE",
    );
    primary.sql(
        "postgres",
        "SELECT pg_create_physical_replication_slot('kept', true)",
    );
    primary.sql("postgres", "SELECT pg_switch_wal()");
}

fn configuration(
    port: u16,
    scratch: &Scratch,
    receiver: &HttpSink,
    servers: &[(&str, &Postgres)],
) -> String {
    let servers: String = servers
        .iter()
        .map(|(name, server)| {
            format!(
                "  - {{name: {name}, url: '{}'}}\n",
                server.url("postgres", "postgres")
            )
        })
        .collect();
    format!(
        "listen: 127.0.0.1:{port}\nstate_dir: {}\ncollect: {{interval: 1s, load_budget: off}}\nservers:\n{servers}\
         backups:\n  - {{name: nightly, server: primary, files: '{}/*.sql', look: 1s}}\n\
         notify:\n  receivers:\n    - {{name: team, slack: {{webhook_url: '{}/hook'}}}}\n  policy:\n    - {{to: [team]}}\n",
        scratch.join("state").display(),
        scratch.join("dumps").display(),
        receiver.url(),
    )
}

/// Label and selector of each variable that asks for label values.
fn looked_up(dashboard: &Value) -> Vec<(String, String)> {
    let list = dashboard["templating"]["list"].as_array().unwrap();
    let queries = list
        .iter()
        .filter_map(|variable| variable["query"]["query"].as_str());
    let found: Vec<(String, String)> = queries
        .map(|query| {
            let inside = query
                .strip_prefix("label_values(")
                .and_then(|rest| rest.strip_suffix(')'));
            let (selector, label) = inside.unwrap().rsplit_once(", ").unwrap();
            (label.to_owned(), filled(selector))
        })
        .collect();
    assert!(!found.is_empty());
    found
}
