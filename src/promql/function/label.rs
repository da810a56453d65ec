//! Functions that change labels.

use std::collections::HashSet;

use regex::Regex;

use crate::promql::evaluate::{Entry, Evaluation, Outcome};
use crate::promql::expr::Expr;
use crate::promql::{EvalError, SAME_LABELS};
use crate::sample::NAME;

/// `label_replace(vector, destination, replacement, source, pattern)`.
pub(super) fn replace(
    evaluation: &Evaluation<'_>,
    arguments: &[Expr],
    now: i64,
) -> Result<Outcome, EvalError> {
    let text = |place: usize| evaluation.text(&arguments[place], now);
    let (destination, replacement, source, pattern) = (text(1)?, text(2)?, text(3)?, text(4)?);
    let regex = Regex::new(&format!("^(?s:{pattern})$")).map_err(|_| {
        EvalError::Failed(format!(
            "invalid regular expression in label_replace(): {pattern}"
        ))
    })?;
    check_name(&destination, "destination", "label_replace")?;
    relabelled(evaluation, arguments, now, &destination, |entry| {
        let captures = regex.captures(entry.labels.get(&source))?;
        let mut value = String::new();
        captures.expand(&replacement, &mut value);
        Some(value)
    })
}

/// `label_join(vector, destination, separator, sources…)`.
pub(super) fn join(
    evaluation: &Evaluation<'_>,
    arguments: &[Expr],
    now: i64,
) -> Result<Outcome, EvalError> {
    let destination = evaluation.text(&arguments[1], now)?;
    let separator = evaluation.text(&arguments[2], now)?;
    let sources = arguments[3..].iter();
    let sources: Vec<String> = sources
        .map(|source| evaluation.text(source, now))
        .collect::<Result<_, _>>()?;
    check_name(&destination, "destination", "label_join")?;
    for source in &sources {
        check_name(source, "source", "label_join")?;
    }
    relabelled(evaluation, arguments, now, &destination, |entry| {
        let values: Vec<&str> = sources.iter().map(|name| entry.labels.get(name)).collect();
        Some(values.join(&separator))
    })
}

/// Sets the destination of each element for which there is a value.
fn relabelled(
    evaluation: &Evaluation<'_>,
    arguments: &[Expr],
    now: i64,
    destination: &str,
    value: impl Fn(&Entry) -> Option<String>,
) -> Result<Outcome, EvalError> {
    let mut entries = evaluation.vector(&arguments[0], now)?;
    for entry in &mut entries {
        if let Some(value) = value(entry) {
            entry.labels = entry.labels.with(destination, &value);
            entry.drop_name &= destination != NAME;
        }
    }
    let mut seen = HashSet::new();
    match entries.iter().all(|entry| seen.insert(&entry.labels)) {
        true => Ok(Outcome::Vector(entries)),
        false => Err(EvalError::Failed(SAME_LABELS.into())),
    }
}

fn check_name(name: &str, role: &str, function: &str) -> Result<(), EvalError> {
    match name.is_empty() {
        true => Err(EvalError::Failed(format!(
            "invalid {role} label name in {function}(): {name}"
        ))),
        false => Ok(()),
    }
}
