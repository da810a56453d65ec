//! Aggregations: elements fall into groups by labels, and each group becomes one element, or keeps some of its own.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};

use super::EvalError;
use super::evaluate::Evaluation;
use super::expr::{Aggregate, Aggregation, Grouping};
use super::grid::Grid;
use super::number::{format_plain, format_short};
use super::rows::{Head, Numbers, Rows, is_present};
use super::sum::{self, Sum};
use crate::sample::{Labels, NAME, Sources};

/// Evaluates the operand and aggregates it.
pub(super) fn evaluate(
    evaluation: &Evaluation<'_>,
    node: &Aggregate,
    grid: Grid,
) -> Result<Rows, EvalError> {
    let numbers = || match &node.param {
        Some(param) => evaluation.numbers(param, grid),
        None => Ok(Numbers::constant(f64::NAN, grid.count)),
    };
    match node.op {
        Aggregation::Top | Aggregation::Bottom => {
            let limits = counts(&numbers()?.values)?;
            let rows = evaluation.rows(&node.expr, grid)?;
            extremes(evaluation, node, &rows, &limits)
        }
        Aggregation::Quantile => {
            let q = numbers()?;
            let rows = evaluation.rows(&node.expr, grid)?;
            check_quantiles(evaluation, node, &q.values);
            reduced(evaluation, node, &rows, &q.sources, |place, values| {
                sum::quantile(q.values[place], values.to_vec())
            })
        }
        Aggregation::CountValues => {
            let label = match &node.param {
                Some(param) => evaluation.text(param)?,
                None => String::new(),
            };
            count_values(node, &label, &evaluation.rows(&node.expr, grid)?)
        }
        op => {
            let rows = evaluation.rows(&node.expr, grid)?;
            let reduce = reducer(op);
            reduced(evaluation, node, &rows, &Sources::default(), |_, values| {
                reduce(values)
            })
        }
    }
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

/// Rows that share the labels they are grouped by.
struct Group {
    labels: Labels,
    members: Vec<usize>,
}

fn groups(grouping: &Grouping, rows: &Rows) -> Vec<Group> {
    if *grouping == Grouping::By(Vec::new()) && rows.len() > 0 {
        return vec![Group {
            labels: Labels::default(),
            members: (0..rows.len()).collect(),
        }];
    }
    let mut places: HashMap<Labels, usize> = HashMap::new();
    let mut groups: Vec<Group> = Vec::new();
    for (row, head) in rows.heads().iter().enumerate() {
        let labels = grouping.key(&head.labels);
        let place = *places.entry(labels).or_insert_with_key(|labels| {
            groups.push(Group {
                labels: labels.clone(),
                members: Vec::new(),
            });
            groups.len() - 1
        });
        groups[place].members.push(row);
    }
    groups
}

/// Each group becomes one row; `reduce` is given the place of a moment and the values that the group has there.
fn reduced(
    evaluation: &Evaluation<'_>,
    node: &Aggregate,
    rows: &Rows,
    also: &Sources,
    reduce: impl Fn(usize, &[f64]) -> f64,
) -> Result<Rows, EvalError> {
    let groups = groups(&node.grouping, rows);
    let mut results = Rows::with_capacity(rows.width(), groups.len());
    let mut values = Vec::new();
    for Group { labels, members } in groups {
        evaluation.go_on()?;
        let head = Head {
            labels,
            sources: united(rows, &members).union(also),
            drop_name: members.iter().any(|row| rows.head(*row).drop_name),
        };
        results.push(head, |out| {
            for (place, result) in out.iter_mut().enumerate() {
                values.clear();
                values.extend(present(rows, &members, place).map(|(_, value)| value));
                if !values.is_empty() {
                    *result = reduce(place, &values);
                }
            }
        });
    }
    Ok(results)
}

/// The rows among some that have a value at a moment.
fn present<'r>(
    rows: &'r Rows,
    members: &'r [usize],
    place: usize,
) -> impl Iterator<Item = (usize, f64)> + 'r {
    let each = members.iter().map(move |row| (*row, rows.row(*row)[place]));
    each.filter(|(_, value)| is_present(*value))
}

/// All sources of some rows. Most rows share one of a few sets, so each set is looked at once.
pub(super) fn united(rows: &Rows, members: &[usize]) -> Sources {
    let each = members.iter().map(|row| &rows.head(*row).sources);
    let sets: HashSet<&Sources> = each.collect();
    match sets.len() {
        0 | 1 => sets.into_iter().next().cloned().unwrap_or_default(),
        _ => sets.into_iter().flat_map(Sources::iter).cloned().collect(),
    }
}

/// One row for each value that a group has at any moment: how often it has it.
fn count_values(node: &Aggregate, label: &str, rows: &Rows) -> Result<Rows, EvalError> {
    if label.is_empty() {
        let message = format!("invalid label name {label:?}");
        return Err(EvalError::Failed(message));
    }
    // A label that is left out takes no value, and one that is the name is a new name.
    let is_left_out = match &node.grouping {
        Grouping::Without(names) => label == NAME || names.iter().any(|name| name == label),
        Grouping::By(_) => false,
    };
    let mut counts: Vec<(Head, Vec<f64>)> = Vec::new();
    let mut places: HashMap<Labels, usize> = HashMap::new();
    for Group { labels, members } in groups(&node.grouping, rows) {
        let drops_name = members.iter().any(|row| rows.head(*row).drop_name);
        let head = Head {
            labels: labels.clone(),
            sources: united(rows, &members),
            drop_name: drops_name && label != NAME,
        };
        for place in 0..rows.width() {
            for (_, value) in present(rows, &members, place) {
                let labels = match is_left_out {
                    true => labels.clone(),
                    false => labels.with(label, &format_plain(value)),
                };
                let row = *places.entry(labels).or_insert_with_key(|labels| {
                    let head = Head {
                        labels: labels.clone(),
                        ..head.clone()
                    };
                    counts.push((head, vec![0.0; rows.width()]));
                    counts.len() - 1
                });
                counts[row].1[place] += 1.0;
            }
        }
    }
    let mut results = Rows::with_capacity(rows.width(), counts.len());
    for (head, counted) in counts {
        results.push(head, |out| {
            for (out, count) in out.iter_mut().zip(counted) {
                if count > 0.0 {
                    *out = count;
                }
            }
        });
    }
    Ok(results)
}

/// At each moment, so many of each group as the limit of that moment allows, the largest or the smallest.
fn extremes(
    evaluation: &Evaluation<'_>,
    node: &Aggregate,
    rows: &Rows,
    limits: &[usize],
) -> Result<Rows, EvalError> {
    let mut kept = vec![vec![]; rows.len()];
    let mut order = Vec::new();
    for Group { members, .. } in groups(&node.grouping, rows) {
        evaluation.go_on()?;
        for (place, limit) in limits.iter().enumerate() {
            let mut ranked: Vec<(usize, f64)> = present(rows, &members, place).collect();
            ranked.sort_by(|(_, a), (_, b)| match node.op {
                Aggregation::Top => by_value(*b, *a, *a, *b),
                _ => by_value(*a, *b, *a, *b),
            });
            for (row, value) in ranked.into_iter().take(*limit) {
                if kept[row].is_empty() {
                    order.push(row);
                }
                kept[row].push((place, value));
            }
        }
    }
    // At a single moment the order is that of the values; over many there is none.
    if limits.len() > 1 {
        order.sort_unstable();
    }
    let mut results = Rows::with_capacity(rows.width(), order.len());
    for row in order {
        results.push(rows.head(row).clone(), |out| {
            for (place, value) in &kept[row] {
                out[*place] = *value;
            }
        });
    }
    Ok(results)
}

/// The limits of `topk` and `bottomk`.
fn counts(numbers: &[f64]) -> Result<Vec<usize>, EvalError> {
    let failed = |message: String| Err(EvalError::Failed(message));
    if numbers.iter().any(|number| number.is_nan()) {
        return failed("Parameter value is NaN".into());
    }
    let least = numbers.iter().copied().fold(f64::INFINITY, f64::min);
    if !numbers.is_empty() && least <= i64::MIN as f64 {
        let least = format_short(least);
        return failed(format!("Scalar value {least} underflows int64"));
    }
    let most = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if most >= i64::MAX as f64 {
        let most = format_short(most);
        return failed(format!("Scalar value {most} overflows int64"));
    }
    Ok(numbers
        .iter()
        .map(|number| number.max(0.0) as usize)
        .collect())
}

/// Warns of quantiles that are none: of one that is no number, else of the largest above 1 and the smallest below 0.
fn check_quantiles(evaluation: &Evaluation<'_>, node: &Aggregate, numbers: &[f64]) {
    let mut notes = evaluation.notes.borrow_mut();
    if numbers.iter().any(|number| number.is_nan()) {
        return notes.quantile(f64::NAN, node.place);
    }
    let most = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if most > 1.0 {
        notes.quantile(most, node.place);
    }
    let least = numbers.iter().copied().fold(f64::INFINITY, f64::min);
    if least < 0.0 {
        notes.quantile(least, node.place);
    }
}

/// Orders two values, `NaN` of the elements `a` and `b` last whatever the direction.
fn by_value(first: f64, second: f64, a: f64, b: f64) -> Ordering {
    let order = first.partial_cmp(&second).unwrap_or(Ordering::Equal);
    a.is_nan().cmp(&b.is_nan()).then(order)
}
