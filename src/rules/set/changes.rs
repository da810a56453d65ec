//! `rules.disable` and `rules.override`: rules taken out or changed by their names.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::document::Problem;
use crate::rules::{Action, Override, Rule, Settings, Template};

use super::{RuleSet, mistaken, nearest};

/// Takes the disabled rules out, and groups that have none left.
pub(super) fn disable(set: &mut RuleSet, names: &[String]) -> Vec<Problem> {
    let rules = || set.groups.iter().flat_map(|group| &group.rules);
    let unmatched = names
        .iter()
        .filter(|name| !rules().any(|rule| is_called(rule, name)));
    let problems = unmatched
        .map(|name| unmatched_name(set, "disable", name))
        .collect();
    for group in &mut set.groups {
        group
            .rules
            .retain(|rule| !names.iter().any(|name| is_called(rule, name)));
    }
    set.groups.retain(|group| !group.rules.is_empty());
    problems
}

/// Applies the overrides, each to the one rule that it names.
pub(super) fn change(set: &mut RuleSet, settings: &Settings) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut changed: Vec<(Arc<str>, String, &str)> = Vec::new();
    for (name, change) in &settings.overrides {
        let meant: Vec<&Rule> = set
            .alerting()
            .filter(|rule| is_called(rule, name))
            .collect();
        let [rule] = meant.as_slice() else {
            problems.push(match meant.as_slice() {
                [] => unmatched_name(set, "override", name),
                several => ambiguous(name, several),
            });
            continue;
        };
        let rule = (rule.name.clone(), rule.severity().to_owned(), name.as_str());
        if let Some((.., other)) = changed
            .iter()
            .find(|(known, severity, _)| (known, severity) == (&rule.0, &rule.1))
        {
            problems.push(mistaken(
                "override",
                format!("`{other}` and `{name}` mean the same rule"),
            ));
            continue;
        }
        changed.push(rule);
        let rules = set.groups.iter_mut().flat_map(|group| &mut group.rules);
        for rule in rules.filter(|rule| is_called(rule, name) && rule.alerting().is_some()) {
            problems.extend(apply(rule, name, change));
        }
    }
    problems
}

fn apply(rule: &mut Rule, name: &str, change: &Override) -> Vec<Problem> {
    let mut problems = Vec::new();
    if let Some(threshold) = change.threshold {
        match rule.query.with_threshold(threshold) {
            Some(query) => rule.query = query,
            None => {
                let message = format!("`{name}` compares with no single number");
                let hint = "disable it, and write the rule you want into a file of `rules.files`";
                problems.push(Problem {
                    hint: Some(hint.into()),
                    ..mistaken("override", message)
                });
            }
        }
    }
    if let (Some(hold), Action::Alert(alerting)) = (change.hold, &mut rule.action) {
        alerting.hold = hold;
    }
    for (label, text) in &change.labels {
        match Template::parse(text) {
            Ok(template) => {
                rule.labels.insert(label.clone(), template);
            }
            Err(cause) => problems.push(mistaken(
                "override",
                format!("label `{label}` of `{name}`: {cause}"),
            )),
        }
    }
    problems
}

/// Whether `Name` or `Name/severity` means a rule.
fn is_called(rule: &Rule, name: &str) -> bool {
    let full = || format!("{}/{}", rule.name, rule.severity());
    *rule.name == *name || full() == name
}

fn ambiguous(name: &str, rules: &[&Rule]) -> Problem {
    let each: Vec<String> = rules
        .iter()
        .map(|rule| format!("`{}/{}`", rule.name, rule.severity()))
        .collect();
    Problem {
        hint: Some(format!("write {}", each.join(" or "))),
        ..mistaken("override", format!("`{name}` means {} rules", rules.len()))
    }
}

fn unmatched_name(set: &RuleSet, setting: &str, name: &str) -> Problem {
    let rules = set.groups.iter().flat_map(|group| &group.rules);
    let names: BTreeSet<String> = rules
        .flat_map(|rule| {
            [
                rule.name.to_string(),
                format!("{}/{}", rule.name, rule.severity()),
            ]
        })
        .collect();
    Problem {
        hint: nearest(name, names.iter()).map(|near| format!("did you mean `{near}`?")),
        ..mistaken(setting, format!("no rule is called `{name}`"))
    }
}
