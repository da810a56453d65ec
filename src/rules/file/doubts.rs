//! What in a file is no mistake and yet hardly meant.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::document::Problem;
use crate::rules::{Group, Rule, Template};

use super::names::Names;

/// Rules of a file that have the name and the labels of one before.
pub(super) fn duplicates(groups: &[Names]) -> Vec<Problem> {
    let mut seen = BTreeMap::new();
    let mut problems = Vec::new();
    for named in groups.iter().flat_map(|group| &group.rules) {
        match seen.entry((&named.name, &named.labels)) {
            Entry::Vacant(free) => {
                free.insert(named.place.line);
            }
            Entry::Occupied(first) => problems.push(Problem {
                hint: Some("give each a label of its own, or another name".into()),
                ..Problem::at(
                    &named.place,
                    format!(
                        "`{}` with the same labels stands in this file before, on line {}",
                        named.name,
                        first.get()
                    ),
                )
            }),
        }
    }
    problems
}

/// Rules with a label that is another at every evaluation.
pub(super) fn shifting(groups: &[Group]) -> Vec<Problem> {
    let rules = groups.iter().flat_map(|group| &group.rules);
    rules.filter_map(shifting_identity).collect()
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
