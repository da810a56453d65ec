//! The page of the real binary beside the inventory of postgres_exporter: no name, type or label is missing, renamed or
//! of another kind, there is none that no declaration explains, and promtool minds only names that are kept for others.

use std::collections::{BTreeMap, BTreeSet};

use pgvigil::app::selectable_metrics;
use pgvigil::collectors::load;
use regex::Regex;

use super::names::usual_settings;
use super::{PATIENCE, progress};
use crate::harness::{Daemon, Postgres, Scratch, eventually_async, free_port, lint, pgvigil};

const INVENTORY: &str = include_str!("names.txt");

/// What the page says of one metric: its type and the labels of all its series together.
#[derive(Debug, PartialEq, Eq, Default)]
pub(super) struct Facts {
    pub(super) kind: String,
    pub(super) labels: BTreeSet<String>,
}

/// Watches both servers, and compares once everything expected is there.
pub(super) async fn check(primary: &Postgres, standby: &Postgres, major: u32) {
    let (scratch, port) = (Scratch::new(), free_port());
    let config = format!(
        "listen: 127.0.0.1:{port}\n\
         state_dir: {state}\n\
         collect: {{interval: 1s, load_budget: off, enable: [{OFF_BY_DEFAULT}]}}\n\
         servers: [{{name: primary, url: '{}'}}, {{name: standby, url: '{}'}}]\n",
        primary.url("postgres", "postgres"),
        standby.url("postgres", "postgres"),
        state = scratch.path().join("state").display(),
    );
    let config = scratch.write("pgvigil.yml", config);
    let mut command = pgvigil();
    command.arg("--config").arg(config);
    let _watch = Daemon::spawn(command);
    let expected = inventory(major);
    let awaited = |name: &&String| !progress::is_shown_here(name);
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (client, url) = (
        reqwest::Client::new(),
        format!("http://127.0.0.1:{port}/metrics"),
    );
    let (text, page) = eventually_async("the whole inventory is on the page", PATIENCE, || async {
        let text = client.get(&url).send().await.ok()?.text().await.ok()?;
        let page = read(&text);
        let missing: Vec<_> = expected
            .keys()
            .filter(|name| awaited(name) && !page.contains_key(*name))
            .collect();
        let settings = settings(&page).count();
        eprintln!("on {major} there is not yet: {missing:?}; of the settings there are {settings}");
        (missing.is_empty() && settings == usual_settings(major)).then_some((text, page))
    })
    .await;
    for (name, facts) in expected.iter().filter(|(name, _)| awaited(name)) {
        assert_eq!(&page[name], facts, "{name} on {major}");
    }
    check_settings(&page);
    let declared = selectable_metrics(&load(&[]).unwrap(), false);
    let foreign: BTreeSet<&str> = INVENTORY
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    for name in page.keys() {
        let of_another_major = foreign.contains(name.as_str()) && !expected.contains_key(name);
        assert!(!of_another_major, "{name} is not of {major}");
        let explained = declared.contains(name)
            || declared.contains(&format!("{name}_bucket"))
            || name.starts_with("pg_settings_")
            || name == "pgvigil_collector_age_seconds";
        assert!(explained, "{name} is declared nowhere");
    }
    for complaint in lint(&text) {
        let name = complaint.split(' ').next().unwrap_or_default();
        let kept = foreign.contains(name) || name.starts_with("pg_settings_");
        assert!(kept, "{complaint}");
    }
}

const OFF_BY_DEFAULT: &str = "buffercache_summary, statement_texts";

/// The lines of the inventory that are for a major version.
pub(super) fn inventory(major: u32) -> BTreeMap<String, Facts> {
    let lines = INVENTORY.lines().filter(|line| !line.starts_with('#'));
    let of_major = lines.filter_map(|line| {
        let [name, kind, labels, majors] = line.split(' ').collect::<Vec<_>>().try_into().unwrap();
        let (since, until) = majors.split_once('-').unwrap();
        let covered = (since.parse().unwrap()..=until.parse().unwrap()).contains(&major);
        let labels = labels.split(',').filter(|label| *label != "-");
        let facts = Facts {
            kind: kind.into(),
            labels: labels.map(String::from).collect(),
        };
        covered.then(|| (name.to_owned(), facts))
    });
    of_major.collect()
}

/// The metrics of a page. The label of the server is no part of a fact: it is there because there are two.
fn read(page: &str) -> BTreeMap<String, Facts> {
    let series = Regex::new(r"^([a-zA-Z_:]\w*)(?:\{(.*)\})? \S+$").unwrap();
    let label = Regex::new(r#"(\w+)="(?:[^"\\]|\\.)*""#).unwrap();
    let mut metrics = BTreeMap::<String, Facts>::new();
    let mut histogram = String::new();
    for line in page.lines() {
        if let Some(told) = line.strip_prefix("# TYPE ") {
            let (name, kind) = told.split_once(' ').unwrap();
            let kind = if kind == "untyped" { "unknown" } else { kind };
            metrics.entry(name.into()).or_default().kind = kind.into();
            histogram = if kind == "histogram" {
                name.into()
            } else {
                String::new()
            };
        } else if let Some(found) = series.captures(line) {
            let part = !histogram.is_empty() && found[1].starts_with(&histogram);
            let name = if part { histogram.as_str() } else { &found[1] };
            let labels = label.captures_iter(found.get(2).map_or("", |all| all.as_str()));
            let labels = labels.map(|pair| pair[1].to_owned());
            let foreign = |label: &String| label != "server" && !(part && label == "le");
            metrics
                .get_mut(name)
                .unwrap()
                .labels
                .extend(labels.filter(foreign));
        }
    }
    metrics
}

fn settings(page: &BTreeMap<String, Facts>) -> impl Iterator<Item = (&String, &Facts)> {
    page.iter()
        .filter(|(name, _)| name.starts_with("pg_settings_"))
}

fn check_settings(page: &BTreeMap<String, Facts>) {
    for (name, facts) in settings(page) {
        assert_eq!(facts.kind, "gauge", "{name}");
        assert!(facts.labels.is_empty(), "{name}: {:?}", facts.labels);
    }
}
