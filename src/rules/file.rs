//! One rule file, read as strictly as Prometheus reads it. Takes its text; hands on groups ready to be evaluated, or
//! every mistake with line and column, group, number and name of the rule.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::document::{Node, Place, Problem, Reader, Section, Value, parse_first};
use crate::promql::Query;

use super::{Action, Alerting, Group, Rule, RuleKey, Template};

/// The groups of a file, and what in it is hardly meant.
pub(super) type Parsed = (Vec<Group>, Vec<Problem>);

/// Reads a file. Groups that name no interval get the one given.
///
/// # Errors
/// Every mistake.
pub(super) fn parse(file: &str, text: &str, interval: Duration) -> Result<Parsed, Vec<Problem>> {
    let (root, second) = parse_first(file, text).map_err(|problem| vec![problem])?;
    let reader = Reader::new(None);
    let mut names = Vec::new();
    let groups = reader.read(&root, |s| {
        s.list("groups", "Groups of rules.", |s| {
            let mut reading = Reading {
                reader: &reader,
                file: file.into(),
                group: GroupNames::default(),
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
    let mut warnings: Vec<Problem> = second
        .map(|place| Problem::at(&place, "a second YAML document is not read"))
        .into_iter()
        .collect();
    warnings.extend(
        groups
            .iter()
            .flat_map(|group| &group.rules)
            .filter_map(shifting_identity),
    );
    warnings.extend(duplicates(&groups));
    Ok((groups, warnings))
}

/// The names by which mistakes are told.
#[derive(Default)]
struct GroupNames {
    name: String,
    rules: Vec<String>,
}

struct Reading<'r, 'e> {
    reader: &'r Reader<'e>,
    file: Arc<str>,
    group: GroupNames,
}

impl Reading<'_, '_> {
    fn group(&mut self, s: &mut Section, default: Duration, earlier: &[GroupNames]) -> Group {
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
        let limit = s.parsed(
            "limit",
            "whole number",
            "0",
            "The most alerts or series of one rule.",
            |text| {
                text.parse::<i64>()
                    .map_err(|_| format!("`{text}` is no whole number"))
            },
        );
        let labels = self.texts(s, "labels");
        let common = self.label_templates(&labels, false);
        let mut group = Group {
            file: self.file.clone(),
            name: name.as_str().into(),
            interval: interval
                .filter(|interval| !interval.is_zero())
                .unwrap_or(default),
            query_offset: query_offset.unwrap_or_default(),
            limit: limit
                .and_then(|limit| usize::try_from(limit).ok())
                .unwrap_or(0),
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
        self.group.rules.push(name.clone());
        match (record.is_empty(), alert.is_empty()) {
            (true, true) => s.problem("", "one of `record` or `alert` must be set", None),
            (false, false) => s.problem("", "only one of `record` and `alert` must be set", None),
            (false, true) => check_recorded_name(s, &record),
            (true, false) => {}
        }
        let query = expression(s);
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

    /// A mapping of names to texts; nothing is the empty text, as in Prometheus.
    fn texts(&self, s: &mut Section, key: &str) -> BTreeMap<String, (String, Place)> {
        let mut texts = BTreeMap::new();
        let Some(node) = s.node(key, "mapping of texts", "Names and texts.") else {
            return texts;
        };
        let Value::Map(entries) = &node.value else {
            s.problem(key, "must be a mapping of names to texts", None);
            return texts;
        };
        for (name, Node { place, value }) in entries {
            match value {
                Value::Scalar(text) => {
                    texts.insert(name.text.clone(), (text.clone(), place.clone()));
                }
                Value::Null => {
                    texts.insert(name.text.clone(), (String::new(), place.clone()));
                }
                Value::List(_) | Value::Map(_) => {
                    self.complain(place, format!("`{}` must be a single text", name.text))
                }
            }
        }
        texts
    }

    fn label_templates(
        &self,
        texts: &BTreeMap<String, (String, Place)>,
        templated: bool,
    ) -> BTreeMap<String, Template> {
        if let Some((_, place)) = texts.get("__name__") {
            self.complain(place, "`__name__` is no label that a rule may set".into());
        }
        self.templates(texts, "label", templated)
    }

    fn templates(
        &self,
        texts: &BTreeMap<String, (String, Place)>,
        what: &str,
        templated: bool,
    ) -> BTreeMap<String, Template> {
        let mut templates = BTreeMap::new();
        for (name, (text, place)) in texts {
            if name.is_empty() {
                self.complain(place, format!("a {what} needs a name"));
            }
            let template = if templated {
                Template::parse(text)
            } else {
                Ok(Template::verbatim(text))
            };
            match template {
                Ok(template) => {
                    templates.insert(name.clone(), template);
                }
                Err(cause) => self.complain(place, format!("template of {what} `{name}`: {cause}")),
            }
        }
        templates
    }

    fn complain(&self, place: &Place, message: String) {
        let GroupNames { name, rules } = &self.group;
        let path = match rules.last() {
            Some(rule) => described(name, rules.len(), rule),
            None => format!("group `{name}`"),
        };
        self.reader.report(Problem {
            path,
            ..Problem::at(place, message)
        });
    }
}

fn check_recorded_name(s: &Section, name: &str) {
    if name.contains(['{', '}']) {
        let hint = "give the metric's name alone, and labels under `labels`";
        s.problem("record", format!("`{name}` is no metric name"), Some(hint));
    }
}

fn expression(s: &mut Section) -> Option<Query> {
    let text = s.text("expr", "", "The expression that is evaluated.");
    if text.trim().is_empty() {
        s.problem("expr", "`expr` is missing", None);
        return None;
    }
    match Query::parse(&text) {
        Ok(query) => Some(query),
        Err(error) => {
            let place = error
                .position
                .map(|at| format!(" (character {})", at + 1))
                .unwrap_or_default();
            s.problem(
                "expr",
                format!("could not parse expression: {}{place}", error.message),
                None,
            );
            None
        }
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

/// Turns a key path such as `groups[0].rules[2].expr` into the names a person knows the rule by.
fn name_rule(problem: &mut Problem, names: &[GroupNames]) {
    let Some((group, rest)) = indexed(&problem.path, "groups[") else {
        return;
    };
    let Some(names) = names.get(group) else {
        return;
    };
    let named = match indexed(rest, ".rules[") {
        Some((rule, rest)) => {
            let name = names.rules.get(rule).map_or("", String::as_str);
            described(&names.name, rule + 1, name) + &rest.replacen('.', ", ", 1)
        }
        None => format!("group `{}`{}", names.name, rest.replacen('.', ", ", 1)),
    };
    problem.path = named;
}

fn described(group: &str, number: usize, rule: &str) -> String {
    format!("group `{group}`, rule {number}, `{rule}`")
}

fn indexed<'p>(path: &'p str, prefix: &str) -> Option<(usize, &'p str)> {
    let (index, rest) = path.strip_prefix(prefix)?.split_once(']')?;
    Some((index.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(text: &str) -> Vec<String> {
        match parse("r.yml", text, Duration::from_secs(15)) {
            Ok((_, warnings)) => warnings
                .iter()
                .map(|warning| format!("warning: {warning}"))
                .collect(),
            Err(problems) => problems.iter().map(Problem::to_string).collect(),
        }
    }

    fn rule(lines: &str) -> String {
        let indented: String = lines
            .lines()
            .map(|line| format!("        {line}\n"))
            .collect();
        format!("groups:\n  - name: g\n    rules:\n      -\n{indented}")
    }

    #[test]
    fn mistakes_name_line_group_rule_and_cause() {
        let cases = [
            (
                rule("alert: A\nexpr: up\nfro: 5m"),
                "r.yml:7:9: group `g`, rule 1, `A`, fro: unknown key\n  hint: did you mean `for`?",
            ),
            (
                rule("alert: A\nexpr: up ==="),
                "r.yml:6:15: group `g`, rule 1, `A`, expr: could not parse expression: ",
            ),
            (
                rule("alert: A\nexpr: up\nannotations:\n  summary: \"{{ $label.x }}\""),
                "r.yml:8:20: group `g`, rule 1, `A`: template of annotation `summary`: undefined variable \"$label\"",
            ),
            (
                rule("alert: A\nrecord: a\nexpr: up"),
                "r.yml:5:9: group `g`, rule 1, `A`: only one of `record` and `alert` must be set",
            ),
            (
                rule("expr: up"),
                "r.yml:5:9: group `g`, rule 1, ``: one of `record` or `alert` must be set",
            ),
            (
                rule("record: a\nexpr: up\nfor: 5m"),
                "r.yml:7:14: group `g`, rule 1, `a`, for: a recording rule cannot have it",
            ),
            (
                rule("record: a{b}\nexpr: up"),
                "r.yml:5:17: group `g`, rule 1, `a{b}`, record: `a{b}` is no metric name\n",
            ),
            (
                rule("alert: A\nexpr: up\nfor: 1.5h"),
                "r.yml:7:14: group `g`, rule 1, `A`, for: `1.5h` is no duration",
            ),
            (
                rule("alert: A\nexpr: up\nlabels: {__name__: x}"),
                "r.yml:7:28: group `g`, rule 1, `A`: `__name__` is no label",
            ),
            (
                "groups:\n  - {name: g}\n  - {name: g}\n".into(),
                "r.yml:3:12: group `g`, name: there is already a group `g`",
            ),
            (
                "group: []\n".into(),
                "r.yml:1:1: group: unknown key\n  hint: did you mean `groups`?",
            ),
        ];
        for (text, expected) in cases {
            let found = complaints(&text);
            assert!(found[0].starts_with(expected), "{text}\n{found:#?}");
        }
    }

    #[test]
    fn files_may_be_empty_and_a_second_document_is_passed_over() {
        assert_eq!(complaints(""), Vec::<String>::new());
        assert_eq!(complaints("groups:\n"), Vec::<String>::new());
        let text = "groups: []\n---\nnonsense: {\n";
        assert_eq!(
            complaints(text),
            ["warning: r.yml:2:1: a second YAML document is not read"]
        );
    }

    #[test]
    fn groups_give_their_labels_and_interval_and_rules_of_one_name_are_told_apart() {
        let text = "groups:\n- name: g\n  interval: 1m\n  labels: {team: a, severity: info}\n  rules:\n  \
                    - {alert: A, expr: up, labels: {severity: page}}\n  - {alert: A, expr: up}\n  - {alert: A, expr: up}\n";
        let (groups, warnings) = parse("r.yml", text, Duration::from_secs(15)).unwrap();
        let group = &groups[0];
        assert_eq!(group.interval, Duration::from_secs(60));
        let keys: Vec<_> = group
            .rules
            .iter()
            .map(|rule| (rule.severity(), &*rule.key.rule))
            .collect();
        assert_eq!(keys, [("page", "A"), ("info", "A"), ("info", "A#2")]);
        assert_eq!(group.rules[0].labels["team"].source(), "a");
        assert_eq!(warnings.len(), 1);
    }
}
