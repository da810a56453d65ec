//! Rules that can never fire, or never end, are found by what is known of metrics: public ones, and none of our own.

use std::path::Path;

use pgvigil::app::{schema, selectable_metrics};
use pgvigil::collectors;
use pgvigil::document::Problem;
use pgvigil::rules::{lint, load};

use super::super::harness::{Scratch, pgvigil};
use super::{said, settings};

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/rules"))
}

/// All that `check` says of rules, beside those of the default set.
fn found(files: &[&str], aliases: bool) -> Vec<Problem> {
    let set = load(&settings(files)).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let catalogue = collectors::load(&[]).unwrap();
    let mut found = set.warnings.clone();
    found.extend(set.unknown_metrics(&selectable_metrics(&catalogue, aliases)));
    found.extend(lint(&set.groups, &schema(&catalogue, aliases, false)));
    found
}

#[test]
fn nothing_is_found_in_our_own_rules() {
    let files = ["example:guide", "example:performance"];
    assert_eq!(found(&files, false), []);
    assert_eq!(found(&files, true), []);
}

#[test]
fn the_defects_of_public_rules_are_found_with_line_reason_and_way_out() {
    let path = folder().join("lint.yml");
    let file = path.to_str().unwrap();
    // With `collect.aliases` the old name of one of them is given.
    let found = found(&[file], false);
    let set = load(&settings(&[file])).unwrap();
    let group = set
        .groups
        .iter()
        .find(|group| *group.file == *file)
        .unwrap();
    for rule in &group.rules {
        let expected = rule.alerting().unwrap().annotations["found"].source();
        let own: Vec<&Problem> = found.iter().filter(|one| one.place == rule.place).collect();
        let fitting = own.iter().find(|one| one.message.contains(expected));
        let fitting = fitting.unwrap_or_else(|| panic!("{}: {own:#?}", rule.name));
        // Of a metric that is nowhere like any other there is none.
        let hinted = fitting.hint.is_some() || expected.contains("nothing here gives");
        assert!(hinted && fitting.place.line > 0, "{fitting}");
    }
    let strangers = found.iter().filter(|one| *one.place.origin != *file);
    assert_eq!(strangers.count(), 0);
}

#[test]
fn check_names_what_it_finds_and_changes_no_verdict_by_it() {
    let file = folder().join("lint.yml");
    let run = |arguments: &[&str]| {
        let mut command = pgvigil();
        command.args(arguments).arg(&file).output().unwrap()
    };
    let output = run(&["check", "rules", "--lint-fatal"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let expected = "lint.yml:7:9: `APA_TooManyLocksAcquired`: `/` never has a result";
    assert!(said(&output).contains(expected), "{}", said(&output));
    let silent = said(&run(&["check", "rules", "--lint", "none"]));
    assert!(!silent.contains("never has a result"), "{silent}");
    // What other exporters give is nothing that could be judged.
    assert!(!said(&output).contains("which nothing here gives"));

    let scratch = Scratch::new();
    let servers = "servers: [{url: 'postgresql://nobody@127.0.0.1:1/x'}]";
    let config = format!("{servers}\nrules: {{files: ['{}']}}\n", file.display());
    let config = scratch.write("pgvigil.yml", &config);
    let mut command = pgvigil();
    command.args(["check", "--offline", "--config"]).arg(config);
    let output = command.output().unwrap();
    let told = said(&output);
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(told.contains(expected), "{told}");
    assert!(
        told.contains("hint: match by what both sides have: `/ on (instance)`"),
        "{told}"
    );
}
