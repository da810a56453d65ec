//! Functions that change labels.

use std::collections::HashSet;

use regex::Regex;

use crate::promql::evaluate::{Evaluation, Outcome};
use crate::promql::expr::Call;
use crate::promql::grid::Grid;
use crate::promql::{EvalError, SAME_LABELS};
use crate::sample::{Labels, NAME};

/// `label_replace(vector, destination, replacement, source, pattern)`.
pub(super) fn replace(
    evaluation: &Evaluation<'_>,
    call: &Call,
    grid: Grid,
) -> Result<Outcome, EvalError> {
    let text = |place: usize| evaluation.text(&call.arguments[place]);
    let (destination, replacement, source, pattern) = (text(1)?, text(2)?, text(3)?, text(4)?);
    let regex = Regex::new(&format!("^(?s:{pattern})$")).map_err(|_| {
        EvalError::Failed(format!(
            "invalid regular expression in label_replace(): {pattern}"
        ))
    })?;
    check_name(&destination, "destination", "label_replace")?;
    relabelled(evaluation, call, grid, &destination, |labels| {
        let captures = regex.captures(labels.get(&source))?;
        let mut value = String::new();
        captures.expand(&replacement, &mut value);
        Some(value)
    })
}

/// `label_join(vector, destination, separator, sources…)`.
pub(super) fn join(
    evaluation: &Evaluation<'_>,
    call: &Call,
    grid: Grid,
) -> Result<Outcome, EvalError> {
    let destination = evaluation.text(&call.arguments[1])?;
    let separator = evaluation.text(&call.arguments[2])?;
    let sources = call.arguments[3..].iter();
    let sources: Vec<String> = sources
        .map(|source| evaluation.text(source))
        .collect::<Result<_, _>>()?;
    check_name(&destination, "destination", "label_join")?;
    for source in &sources {
        check_name(source, "source", "label_join")?;
    }
    relabelled(evaluation, call, grid, &destination, |labels| {
        let values: Vec<&str> = sources.iter().map(|name| labels.get(name)).collect();
        Some(values.join(&separator))
    })
}

/// Sets the destination of each row for which there is a value.
fn relabelled(
    evaluation: &Evaluation<'_>,
    call: &Call,
    grid: Grid,
    destination: &str,
    value: impl Fn(&Labels) -> Option<String>,
) -> Result<Outcome, EvalError> {
    let mut rows = evaluation.rows(&call.arguments[0], grid)?;
    for head in rows.heads_mut() {
        if let Some(value) = value(&head.labels) {
            head.labels = head.labels.with(destination, &value);
            head.drop_name &= destination != NAME;
        }
    }
    let mut seen = HashSet::new();
    match rows.heads().iter().all(|head| seen.insert(&head.labels)) {
        true => Ok(Outcome::Rows(rows)),
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
