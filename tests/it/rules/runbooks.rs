//! Every alert has a page that says what to do, and its link leads there.

use std::collections::BTreeSet;
use std::path::Path;

use pgvigil::rules::{load, runbook, runbook_names};

use super::settings;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/runbooks");

fn alerts() -> BTreeSet<String> {
    let set = load(&settings(&[
        "example:guide",
        "example:advice",
        "example:performance",
    ]))
    .unwrap();
    let rules = set.groups.iter().flat_map(|group| &group.rules);
    rules.map(|rule| rule.name.to_string()).collect()
}

#[test]
fn every_alert_has_its_runbook_and_no_runbook_is_without_its_alert() {
    let files = std::fs::read_dir(FOLDER).unwrap();
    let files: BTreeSet<String> = files
        .map(|file| {
            file.unwrap()
                .path()
                .file_stem()
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(files, alerts());
    let built_in: BTreeSet<String> = runbook_names().map(str::to_owned).collect();
    assert_eq!(built_in, alerts());
}

#[test]
fn a_runbook_answers_the_four_questions() {
    for name in alerts() {
        let text = runbook(&name).unwrap();
        assert_eq!(
            text,
            std::fs::read_to_string(Path::new(FOLDER).join(format!("{name}.md"))).unwrap()
        );
        let headings: Vec<&str> = text.lines().filter(|line| line.starts_with('#')).collect();
        let title = format!("# {name}");
        let expected = [
            title.as_str(),
            "## How to look",
            "## What to do",
            "## Why this threshold",
        ];
        assert_eq!(headings, expected, "{name}");
    }
}

#[test]
fn every_rule_links_to_the_runbook_of_its_name() {
    let set = load(&settings(&[
        "example:guide",
        "example:advice",
        "example:performance",
    ]))
    .unwrap();
    for rule in set.groups.iter().flat_map(|group| &group.rules) {
        let annotations = &rule.alerting().unwrap().annotations;
        let link = annotations
            .get("runbook_url")
            .map(pgvigil::rules::Template::source);
        let expected = format!("{{{{ $externalURL }}}}/runbooks/{}", rule.name);
        assert_eq!(link, Some(expected.as_str()));
    }
}
