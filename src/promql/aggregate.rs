//! Aggregations: elements fall into groups by labels, and each group becomes one element, or keeps some of its own.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};

use super::EvalError;
use super::evaluate::{Entry, Evaluation};
use super::expr::{Aggregate, Aggregation, Expr, Grouping};
use super::number::format_plain;
use super::sum::{self, Sum};
use crate::sample::{Labels, Sources};

/// Evaluates the operand and aggregates it.
pub(super) fn evaluate(
    evaluation: &Evaluation<'_>,
    node: &Aggregate,
    now: i64,
) -> Result<Vec<Entry>, EvalError> {
    let number = |param: &Option<Expr>| match param {
        Some(param) => evaluation.number(param, now),
        None => Ok((f64::NAN, Sources::default())),
    };
    match node.op {
        Aggregation::Top | Aggregation::Bottom => {
            let (limit, _) = number(&node.param)?;
            let limit = count(limit)?;
            let groups = groups(&node.grouping, evaluation.vector(&node.expr, now)?);
            Ok(extremes(node.op, limit, groups))
        }
        Aggregation::Quantile => {
            let (q, sources) = number(&node.param)?;
            let groups = groups(&node.grouping, evaluation.vector(&node.expr, now)?);
            let quantile = |values: &[f64]| sum::quantile(q, values.to_vec());
            Ok(reduced(groups, &sources, now, quantile))
        }
        Aggregation::CountValues => {
            let label = match &node.param {
                Some(param) => evaluation.text(param, now)?,
                None => String::new(),
            };
            let entries = evaluation.vector(&node.expr, now)?;
            let groups = groups_by_value(&node.grouping, &label, entries)?;
            Ok(reduced(groups, &Sources::default(), now, |values| {
                values.len() as f64
            }))
        }
        op => {
            let groups = groups(&node.grouping, evaluation.vector(&node.expr, now)?);
            Ok(reduced(groups, &Sources::default(), now, reducer(op)))
        }
    }
}

/// Elements that share the labels they are grouped by.
struct Group {
    labels: Labels,
    entries: Vec<Entry>,
}

fn reducer(op: Aggregation) -> fn(&[f64]) -> f64 {
    match op {
        Aggregation::Sum => |values| {
            let (first, rest) = (values[0], &values[1..]);
            rest.iter().copied().fold(Sum::of(first), Sum::plus).total()
        },
        Aggregation::Average => |values| sum::mean(values.iter().copied()),
        Aggregation::Minimum => |values| extreme(values, |value, least| value < least),
        Aggregation::Maximum => |values| extreme(values, |value, most| value > most),
        Aggregation::Group => |_| 1.0,
        Aggregation::Deviation => |values| variance(values).sqrt(),
        Aggregation::Variance => variance,
        Aggregation::Count
        | Aggregation::Top
        | Aggregation::Bottom
        | Aggregation::Quantile
        | Aggregation::CountValues => |values| values.len() as f64,
    }
}

/// The value that beats all others; `NaN` only when there is nothing else.
pub(super) fn extreme(values: &[f64], beats: fn(f64, f64) -> bool) -> f64 {
    let best = |best: f64, value: &f64| match beats(*value, best) || best.is_nan() {
        true => *value,
        false => best,
    };
    values.iter().fold(f64::NAN, best)
}

/// Welford's method without compensation, as Prometheus does it across series.
fn variance(values: &[f64]) -> f64 {
    let mut mean = values[0];
    let mut squares = if mean.is_finite() { 0.0 } else { f64::NAN };
    for (before, value) in values.iter().enumerate().skip(1) {
        let delta = value - mean;
        mean += delta / (before + 1) as f64;
        squares += delta * (value - mean);
    }
    squares / values.len() as f64
}

fn groups(grouping: &Grouping, entries: Vec<Entry>) -> Vec<Group> {
    gathered(entries.into_iter().map(|entry| {
        let key = grouping.key(&entry.labels);
        (key, entry)
    }))
}

fn groups_by_value(
    grouping: &Grouping,
    label: &str,
    entries: Vec<Entry>,
) -> Result<Vec<Group>, EvalError> {
    if label.is_empty() {
        return Err(EvalError::Failed(format!("invalid label name {label:?}")));
    }
    Ok(gathered(entries.into_iter().map(|entry| {
        let key = grouping.key(&entry.labels);
        (key.with(label, &format_plain(entry.value)), entry)
    })))
}

fn gathered(keyed: impl Iterator<Item = (Labels, Entry)>) -> Vec<Group> {
    let mut places: HashMap<Labels, usize> = HashMap::new();
    let mut groups: Vec<Group> = Vec::new();
    for (labels, entry) in keyed {
        let place = *places.entry(labels).or_insert_with_key(|labels| {
            groups.push(Group {
                labels: labels.clone(),
                entries: Vec::new(),
            });
            groups.len() - 1
        });
        groups[place].entries.push(entry);
    }
    groups
}

fn reduced(
    groups: Vec<Group>,
    also: &Sources,
    now: i64,
    reduce: impl Fn(&[f64]) -> f64,
) -> Vec<Entry> {
    groups
        .into_iter()
        .map(|group| {
            let values: Vec<f64> = group.entries.iter().map(|entry| entry.value).collect();
            Entry {
                value: reduce(&values),
                sources: united(&group.entries).union(also),
                drop_name: group.entries.iter().any(|entry| entry.drop_name),
                labels: group.labels,
                at: now,
            }
        })
        .collect()
}

/// All sources of some elements. Most elements share one of a few sets, so each set is looked at once.
pub(super) fn united(entries: &[Entry]) -> Sources {
    let sets: HashSet<&Sources> = entries.iter().map(|entry| &entry.sources).collect();
    match sets.len() {
        0 | 1 => sets.into_iter().next().cloned().unwrap_or_default(),
        _ => sets.into_iter().flat_map(Sources::iter).cloned().collect(),
    }
}

fn count(limit: f64) -> Result<usize, EvalError> {
    if limit.is_nan() {
        return Err(EvalError::Failed("Parameter value is NaN".into()));
    }
    if limit >= i64::MAX as f64 {
        let limit = format_plain(limit);
        return Err(EvalError::Failed(format!(
            "Scalar value {limit} overflows int64"
        )));
    }
    if limit <= i64::MIN as f64 {
        let limit = format_plain(limit);
        return Err(EvalError::Failed(format!(
            "Scalar value {limit} underflows int64"
        )));
    }
    Ok(limit.max(0.0) as usize)
}

fn extremes(op: Aggregation, limit: usize, groups: Vec<Group>) -> Vec<Entry> {
    groups
        .into_iter()
        .flat_map(|group| {
            let mut entries = group.entries;
            entries.sort_by(|a, b| match op {
                Aggregation::Top => by_value(b.value, a.value, a.value, b.value),
                _ => by_value(a.value, b.value, a.value, b.value),
            });
            entries.truncate(limit);
            entries
        })
        .collect()
}

/// Orders two values, `NaN` of the elements `a` and `b` last whatever the direction.
fn by_value(first: f64, second: f64, a: f64, b: f64) -> Ordering {
    let order = first.partial_cmp(&second).unwrap_or(Ordering::Equal);
    a.is_nan().cmp(&b.is_nan()).then(order)
}
