//! Binary operators: between numbers, between a vector and a number, and between vectors whose elements are matched.

use super::EvalError;
use super::evaluate::{Evaluation, Outcome};
use super::expr::{Binary, Op};
use super::grid::Grid;
use super::matching;
use super::rows::{Numbers, Rows};
use super::set;

/// Evaluates both sides and applies the operator.
pub(super) fn evaluate(
    evaluation: &Evaluation<'_>,
    node: &Binary,
    grid: Grid,
) -> Result<Outcome, EvalError> {
    let left = evaluation.at(&node.left, grid)?;
    let right = evaluation.at(&node.right, grid)?;
    Ok(match (left, right) {
        (Outcome::Numbers(left), Outcome::Numbers(right)) => {
            Outcome::Numbers(between_numbers(node.op, &left, &right))
        }
        (Outcome::Rows(rows), Outcome::Numbers(numbers)) => {
            Outcome::Rows(with_numbers(rows, &numbers, node, |value, number| {
                apply(node.op, value, number)
            }))
        }
        (Outcome::Numbers(numbers), Outcome::Rows(rows)) => {
            Outcome::Rows(with_numbers(rows, &numbers, node, |value, number| {
                apply(node.op, number, value)
            }))
        }
        (Outcome::Rows(left), Outcome::Rows(right)) if node.op.is_set() => {
            Outcome::Rows(set::combine(node.op, &node.matching, left, &right))
        }
        (Outcome::Rows(left), Outcome::Rows(right)) => {
            Outcome::Rows(matching::combine(evaluation, node, &left, &right)?)
        }
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

fn between_numbers(op: Op, left: &Numbers, right: &Numbers) -> Numbers {
    let pairs = left.values.iter().zip(&right.values);
    Numbers {
        values: pairs.map(|(l, r)| apply(op, *l, *r).as_number()).collect(),
        sources: left.sources.union(&right.sources),
    }
}

fn with_numbers(
    rows: Rows,
    numbers: &Numbers,
    node: &Binary,
    applied: impl Fn(f64, f64) -> Applied,
) -> Rows {
    let renamed = !node.op.compares() || node.bool;
    let mut rows =
        rows.map(|value, place| applied(value, numbers.values[place]).outcome(node.bool, value));
    for head in rows.heads_mut() {
        head.drop_name |= renamed;
        head.sources = head.sources.union(&numbers.sources);
    }
    rows
}
