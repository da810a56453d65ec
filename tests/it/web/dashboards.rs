//! The shipped dashboards: Grafana's schema, and rules of our own.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use pgvigil::promql::Query;
use serde_json::Value;

use crate::harness::tool;

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
pub(super) fn panels(dashboard: &Value) -> Vec<&Value> {
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
pub(super) fn filled(expression: &str) -> String {
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
                Query::parse(&filled(expression))
                    .unwrap_or_else(|error| panic!("{title}: {error}"));
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
