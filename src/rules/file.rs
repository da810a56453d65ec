//! One rule file, read as strictly as Prometheus reads it. Takes its text; hands on groups ready to be evaluated, or
//! every mistake with line and column, group, number and name of the rule.

mod doubts;
mod expression;
mod names;
mod texts;
pub(super) mod yaml;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::document::{Place, Problem, Reader, Section, Value, parse_number};

use super::{Action, Alerting, Group, Rule, RuleKey, Template};
use names::{Named, Names, described, name_rule};

/// What a file holds.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    pub(super) groups: Vec<Group>,
    /// Rules with the name and the labels of one before.
    pub(super) duplicates: Vec<Problem>,
    /// What else is no mistake and yet hardly meant.
    pub(super) doubts: Vec<Problem>,
}

/// How a file is read.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Strictness {
    /// Whether a key that nobody knows is passed over.
    pub(super) pass_over_unknown: bool,
}

/// Reads a file. Groups that name no interval get the one given.
///
/// # Errors
/// Every mistake.
pub(super) fn parse(
    file: &str,
    text: &str,
    interval: Duration,
    strictness: Strictness,
) -> Result<Parsed, Vec<Problem>> {
    let (root, second) = yaml::read(file, text).map_err(|problem| vec![problem])?;
    let reader = Reader::as_in_go().passing_over_unknown(strictness.pass_over_unknown);
    let mut names = Vec::new();
    let groups = reader.read(&root, |s| {
        s.list("groups", "Groups of rules.", |s| {
            let mut reading = Reading {
                reader: &reader,
                file: file.into(),
                source: text,
                group: Names::default(),
            };
            let group = reading.group(s, interval, &names);
            names.push(reading.group);
            group
        })
    });
    let mut problems = reader.problems();
    if !problems.is_empty() {
        problems
            .iter_mut()
            .for_each(|problem| name_rule(problem, &names));
        return Err(problems);
    }
    let second = second.map(|place| Problem::at(&place, "a second YAML document is not read"));
    let shifting = doubts::shifting(&groups);
    Ok(Parsed {
        duplicates: doubts::duplicates(&names),
        doubts: second.into_iter().chain(shifting).collect(),
        groups,
    })
}

struct Reading<'r, 'e> {
    reader: &'r Reader<'e>,
    file: Arc<str>,
    source: &'r str,
    group: Names,
}

impl Reading<'_, '_> {
    fn group(&mut self, s: &mut Section, default: Duration, earlier: &[Names]) -> Group {
        let name = s.text("name", "", "Unique in its file.");
        if name.is_empty() {
            s.problem("name", "a group needs a name", None);
        } else if earlier.iter().any(|group| group.name == name) {
            s.problem(
                "name",
                format!("there is already a group `{name}` in this file"),
                None,
            );
        }
        self.group.name.clone_from(&name);
        let interval = s.optional_duration("interval", "How often the group is evaluated.");
        let query_offset = s.optional_duration(
            "query_offset",
            "How far behind the slot the expressions look.",
        );
        let limit = limit(s);
        let labels = self.texts(s, "labels");
        let common = self.label_templates(&labels, false);
        let mut group = Group {
            file: self.file.clone(),
            name: name.as_str().into(),
            interval: interval
                .filter(|interval| !interval.is_zero())
                .unwrap_or(default),
            query_offset: query_offset.unwrap_or_default(),
            limit,
            labels: labels
                .into_iter()
                .map(|(name, (text, _))| (name, text))
                .collect(),
            rules: Vec::new(),
        };
        let read = s.list("rules", "Rules, in the order of their evaluation.", |s| {
            self.rule(s, &common, &group.name)
        });
        group.rules = read.into_iter().flatten().collect();
        number_alike(&mut group.rules);
        group
    }

    /// One rule; `None` when it has a mistake without which it cannot be built.
    fn rule(
        &mut self,
        s: &mut Section,
        common: &BTreeMap<String, Template>,
        group: &Arc<str>,
    ) -> Option<Rule> {
        let record = s.text("record", "", "The metric that the result becomes.");
        let alert = s.text("alert", "", "The alert that the result becomes.");
        let recording = alert.is_empty();
        let name = if recording {
            record.clone()
        } else {
            alert.clone()
        };
        self.group.rules.push(Named {
            name: name.clone(),
            place: s.place().clone(),
            ..Named::default()
        });
        match (record.is_empty(), alert.is_empty()) {
            (true, true) => s.problem("", "one of `record` or `alert` must be set", None),
            (false, false) => s.problem("", "only one of `record` and `alert` must be set", None),
            (false, true) => check_recorded_name(s, &record),
            (true, false) => {}
        }
        let query = self.expression(s);
        let hold = s
            .optional_duration("for", "How long the condition must hold.")
            .unwrap_or_default();
        let keep_firing_for = s
            .optional_duration("keep_firing_for", "How long the alert fires on.")
            .unwrap_or_default();
        let labels = self.texts(s, "labels");
        let annotations = self.texts(s, "annotations");
        if recording && !record.is_empty() {
            let refused = [
                ("for", !hold.is_zero()),
                ("keep_firing_for", !keep_firing_for.is_zero()),
                ("annotations", !annotations.is_empty()),
            ];
            for (key, _) in refused.iter().filter(|(_, written)| *written) {
                s.problem(key, "a recording rule cannot have it", None);
            }
        }
        let mut merged = common.clone();
        merged.extend(self.label_templates(&labels, !recording));
        if let Some(named) = self.group.rules.last_mut() {
            let each = merged.iter();
            named.labels = each
                .map(|(name, template)| (name.clone(), template.source().to_owned()))
                .collect();
        }
        let annotations = self.templates(&annotations, "annotation", !recording);
        let action = if recording {
            Action::Record
        } else {
            Action::Alert(Alerting {
                hold,
                keep_firing_for,
                annotations,
            })
        };
        Some(Rule {
            key: RuleKey {
                file: self.file.clone(),
                group: group.clone(),
                rule: name.as_str().into(),
            },
            name: name.as_str().into(),
            query: query?,
            labels: merged,
            action,
            place: s.place().clone(),
        })
    }

    fn complain(&self, place: &Place, message: String) {
        let Names { name, rules } = &self.group;
        let path = match rules.last() {
            Some(rule) => described(name, rules.len(), &rule.name),
            None => format!("group `{name}`"),
        };
        self.reader.report(Problem {
            path,
            ..Problem::at(place, message)
        });
    }
}

/// Any number will do that is not written in quotes; one below zero is no limit.
fn limit(s: &mut Section) -> usize {
    let doc = "The most alerts or series of one rule.";
    let Some(node) = s.node("limit", "whole number", doc) else {
        return 0;
    };
    let number = match &node.value {
        Value::Scalar(text) if !node.quoted => parse_number(text),
        _ => None,
    };
    let number = number.filter(|number| number.abs() < i64::MAX as f64);
    if number.is_none() {
        s.problem(
            "limit",
            "is no whole number",
            Some("write `100`, or `0` for no limit"),
        );
    }
    number.unwrap_or_default() as usize
}

fn check_recorded_name(s: &Section, name: &str) {
    if name.contains(['{', '}']) {
        let hint = "give the metric's name alone, and labels under `labels`";
        s.problem("record", format!("`{name}` is no metric name"), Some(hint));
    }
}

/// Rules of one name in one group get keys of their own: recording rules, so that each fails for itself, and of the
/// alerting ones those with the same labels, so that each keeps its own alerts.
fn number_alike(rules: &mut [Rule]) {
    let mut seen: BTreeMap<_, usize> = BTreeMap::new();
    for rule in rules {
        let count = seen
            .entry((
                rule.name.clone(),
                rule.alerting().map(|_| rule.label_sources()),
            ))
            .or_default();
        *count += 1;
        if *count > 1 {
            rule.key.rule = format!("{}#{count}", rule.name).into();
        }
    }
}

#[cfg(test)]
mod tests;
