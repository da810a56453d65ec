//! Binary operators: between numbers, between a vector and a number, and between vectors whose elements are matched.

use super::EvalError;
use super::evaluate::{Entry, Evaluation, Outcome};
use super::expr::{Binary, Op};
use super::matching;
use super::set;
use crate::sample::Sources;

/// Evaluates both sides and applies the operator.
pub(super) fn evaluate(
    evaluation: &Evaluation<'_>,
    node: &Binary,
    now: i64,
) -> Result<Outcome, EvalError> {
    use Outcome::{Number, Vector};
    let left = evaluation.at(&node.left, now)?;
    let right = evaluation.at(&node.right, now)?;
    Ok(match (left, right) {
        (Number(left, ours), Number(right, theirs)) => {
            let value = apply(node.op, left, right).as_number();
            Number(value, ours.union(&theirs))
        }
        (Vector(entries), Number(number, sources)) => {
            Vector(with_number(entries, &sources, node, |value| {
                apply(node.op, value, number)
            }))
        }
        (Number(number, sources), Vector(entries)) => {
            Vector(with_number(entries, &sources, node, |value| {
                apply(node.op, number, value)
            }))
        }
        (Vector(left), Vector(right)) if node.op.is_set() => {
            Vector(set::combine(node.op, &node.matching, left, right))
        }
        (Vector(left), Vector(right)) => Vector(matching::combine(node, &left, &right)?),
        _ => {
            let message = "binary expression must contain only scalar and instant vector types";
            return Err(EvalError::Failed(message.into()));
        }
    })
}

/// What an operator makes of two values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Applied {
    Value(f64),
    Holds(bool),
}

impl Applied {
    /// The value, or 0 and 1 for a comparison.
    pub(super) fn as_number(self) -> f64 {
        match self {
            Applied::Value(value) => value,
            Applied::Holds(holds) => f64::from(u8::from(holds)),
        }
    }

    /// What an element becomes that had the value `kept`; `None` when it is filtered away.
    pub(super) fn outcome(self, as_bool: bool, kept: f64) -> Option<f64> {
        match self {
            Applied::Holds(holds) if !as_bool => holds.then_some(kept),
            other => Some(other.as_number()),
        }
    }
}

/// Applies an operator to two values. Set operators have none.
pub(super) fn apply(op: Op, left: f64, right: f64) -> Applied {
    use Applied::{Holds, Value};
    match op {
        Op::Add => Value(left + right),
        Op::Subtract => Value(left - right),
        Op::Multiply => Value(left * right),
        Op::Divide => Value(left / right),
        Op::Modulo => Value(left % right),
        Op::Power => Value(left.powf(right)),
        Op::Atan2 => Value(left.atan2(right)),
        Op::Equal => Holds(left == right),
        Op::NotEqual => Holds(left != right),
        Op::Greater => Holds(left > right),
        Op::Less => Holds(left < right),
        Op::GreaterOrEqual => Holds(left >= right),
        Op::LessOrEqual => Holds(left <= right),
        Op::And | Op::Or | Op::Unless => Value(f64::NAN),
    }
}

fn with_number(
    entries: Vec<Entry>,
    sources: &Sources,
    node: &Binary,
    applied: impl Fn(f64) -> Applied,
) -> Vec<Entry> {
    let renamed = !node.op.compares() || node.bool;
    entries
        .into_iter()
        .filter_map(|entry| {
            let value = applied(entry.value).outcome(node.bool, entry.value)?;
            Some(Entry {
                value,
                sources: entry.sources.union(sources),
                drop_name: entry.drop_name || renamed,
                ..entry
            })
        })
        .collect()
}
