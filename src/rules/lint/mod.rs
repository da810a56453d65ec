//! Rules that are valid and yet cannot do what they are for. Takes rules and what is known of metrics; hands on what is
//! wrong, with line, reason and way out. Where something is not known it says nothing: a false alarm is worse than a miss.

mod expression;
mod function;
mod labels;
mod matching;
mod schema;
mod vector;

use super::{Group, Rule, Template};
use crate::document::Problem;
use expression::{Reading, labels_of};
use schema::Known;
pub use schema::Schema;
pub(super) use schema::pattern;
use vector::{Nature, Vector};

/// So many recording rules may rest on each other; what lies deeper is not known.
const DEEPEST: usize = 5;

/// Something that cannot work.
#[derive(Debug, Clone, PartialEq)]
struct Finding {
    message: String,
    hint: String,
}

/// Everything that is found in rules, in their order.
pub fn lint(groups: &[Group], schema: &Schema) -> Vec<Problem> {
    let schema = with_recorded(groups, schema);
    let rules = groups.iter().flat_map(|group| &group.rules);
    rules.flat_map(|rule| findings(rule, &schema)).collect()
}

fn findings(rule: &Rule, schema: &Schema) -> Vec<Problem> {
    let mut reading = Reading {
        schema,
        findings: Vec::new(),
    };
    let result = reading.read(rule.query.expr());
    lost_labels(rule, &result, &mut reading);
    let findings = reading.findings.into_iter();
    let told = findings.map(|finding| Problem {
        hint: Some(finding.hint),
        ..Problem::at(&rule.place, format!("`{}`: {}", rule.name, finding.message))
    });
    told.collect()
}

/// Labels that a template prints and the result never has.
fn lost_labels(rule: &Rule, result: &Vector, reading: &mut Reading<'_>) {
    let Some(alerting) = rule.alerting() else {
        return;
    };
    let named = |what: &str, name: &String| format!("{what} `{name}`");
    let labels = rule
        .labels
        .iter()
        .map(|(name, text)| (named("label", name), text));
    let annotations = alerting.annotations.iter();
    let annotations = annotations.map(|(name, text)| (named("annotation", name), text));
    let texts: Vec<(String, &Template)> = labels.chain(annotations).collect();
    for (place, template) in texts {
        for label in template.printed_labels() {
            if result.labels.may_have(&label) {
                continue;
            }
            let message =
                format!("{place} prints `$labels.{label}`, which no element of the result has");
            let hint = match rule.labels.contains_key(&label) || label == "alertname" {
                true => "labels that the rule sets are not among `$labels`: write the value itself"
                    .into(),
                false => format!(
                    "keep it in the expression, or print another: {}",
                    labels_of(&result.labels)
                ),
            };
            reading.find(message, hint);
        }
    }
}

/// The schema with what the recording rules among the rules give.
fn with_recorded(groups: &[Group], schema: &Schema) -> Schema {
    let rules = groups.iter().flat_map(|group| &group.rules);
    let recording: Vec<&Rule> = rules.filter(|rule| rule.alerting().is_none()).collect();
    let mut known = schema.clone();
    // A recorded metric is unknown until the rules that it rests on have been looked at.
    for _ in 0..DEEPEST.min(recording.len()) {
        let mut next = schema.clone();
        for rule in &recording {
            next.insert(&rule.name, recorded(rule, &known));
        }
        known = next;
    }
    known
}

fn recorded(rule: &Rule, schema: &Schema) -> Known {
    let mut reading = Reading {
        schema,
        findings: Vec::new(),
    };
    let Vector { nature, labels } = reading.read(rule.query.expr());
    let set = rule.labels.iter();
    let labels = set.fold(labels, |labels, (name, text)| match text.source() {
        "" => labels.without(name),
        text => labels.with(name, Some(text)),
    });
    Known {
        nature: match nature {
            // A position may be hidden in what is recorded of it.
            Nature::Counter(_) => Nature::Counter(rule.name.to_string()),
            _ => Nature::Other,
        },
        labels,
    }
}

#[cfg(test)]
mod tests;
