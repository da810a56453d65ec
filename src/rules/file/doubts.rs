//! What in a file is no mistake and yet hardly meant.

use std::collections::BTreeSet;

use crate::document::Problem;
use crate::rules::{Group, Rule, Template};

/// Every doubt about the rules of a file.
pub(super) fn doubts(groups: &[Group]) -> Vec<Problem> {
    let rules = groups.iter().flat_map(|group| &group.rules);
    let mut doubts: Vec<Problem> = rules.filter_map(shifting_identity).collect();
    doubts.extend(duplicates(groups));
    doubts
}

fn duplicates(groups: &[Group]) -> Vec<Problem> {
    let mut seen = BTreeSet::new();
    let rules = groups.iter().flat_map(|group| &group.rules);
    rules
        .filter(|rule| !seen.insert((rule.name.clone(), rule.label_sources())))
        .map(|rule| {
            let message = format!(
                "`{}` with the same labels stands in this file before",
                rule.name
            );
            Problem::at(&rule.place, message)
        })
        .collect()
}

/// A label made from the value is another alert at every evaluation.
fn shifting_identity(rule: &Rule) -> Option<Problem> {
    let shifting = |template: &Template| {
        template.literal().is_none()
            && (template.source().contains("$value") || template.source().contains(".Value"))
    };
    let (name, _) = rule
        .labels
        .iter()
        .find(|(_, template)| shifting(template))?;
    let message = format!(
        "label `{name}` of `{}` changes with the value, and with it the alert",
        rule.name
    );
    Some(Problem {
        hint: Some("say the value in an annotation".into()),
        ..Problem::at(&rule.place, message)
    })
}
