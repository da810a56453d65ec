//! Aggregations: elements fall into groups by labels, and each group becomes one element, or keeps some of its own.

mod count_values;
mod extremes;

use std::collections::{HashMap, HashSet};

use super::EvalError;
use super::evaluate::Evaluation;
use super::expr::{Aggregate, Aggregation, Grouping};
use super::grid::Grid;
use super::rows::{Head, Numbers, Rows, is_present};
use super::sum::{self, Sum};
use crate::sample::{Labels, Sources};
use count_values::count_values;
use extremes::{counts, extremes};

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
