//! Where a mistake stands, told by the names of group and rule.

use std::collections::BTreeMap;

use crate::document::{Place, Problem};

/// The names of a group and of its rules, as far as they have been read.
#[derive(Default)]
pub(super) struct Names {
    pub(super) name: String,
    pub(super) rules: Vec<Named>,
}

/// A rule by what it is called and the labels that it sets, those of its group among them.
#[derive(Default)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) place: Place,
}

/// Turns a key path such as `groups[0].rules[2].expr` into the names a person knows the rule by.
pub(super) fn name_rule(problem: &mut Problem, names: &[Names]) {
    let Some((group, rest)) = indexed(&problem.path, "groups[") else {
        return;
    };
    let Some(names) = names.get(group) else {
        return;
    };
    let named = match indexed(rest, ".rules[") {
        Some((rule, rest)) => {
            let name = names.rules.get(rule).map_or("", |named| &named.name);
            described(&names.name, rule + 1, name) + &rest.replacen('.', ", ", 1)
        }
        None => format!("group `{}`{}", names.name, rest.replacen('.', ", ", 1)),
    };
    problem.path = named;
}

pub(super) fn described(group: &str, number: usize, rule: &str) -> String {
    format!("group `{group}`, rule {number}, `{rule}`")
}

fn indexed<'p>(path: &'p str, prefix: &str) -> Option<(usize, &'p str)> {
    let (index, rest) = path.strip_prefix(prefix)?.split_once(']')?;
    Some((index.parse().ok()?, rest))
}
