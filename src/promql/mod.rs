//! Expression + store + time → value. Syntax by promql-parser, evaluation by us; touches no network and no clock.

mod number;

use std::time::Duration;

use crate::sample::{Labels, Sources, Timestamp};
use crate::store::{Series, Store};

pub use number::{format_number, format_plain};

/// An expression that has been parsed and type-checked.
#[derive(Debug, Clone)]
pub struct Query {
    text: String,
}

/// Why an expression is no PromQL, or uses what pgvigil does not evaluate.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct ParseError {
    /// The cause, in Prometheus' words where it has some.
    pub message: String,
    /// Byte offset in the expression, where it is known.
    pub position: Option<usize>,
}

/// Why an expression has no value.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct EvalError(pub String);

/// The four kinds of result.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A number.
    Scalar(f64),
    /// A text.
    Text(String),
    /// One value per label set.
    Vector(Vec<Element>),
    /// Many values per label set.
    Matrix(Vec<Series>),
}

/// One element of an instant vector.
#[derive(Debug, Clone, PartialEq)]
pub struct Element {
    /// Its labels, `__name__` included where the operation keeps it.
    pub labels: Labels,
    /// Its value.
    pub value: f64,
    /// The sources of all samples it was computed from.
    pub sources: Sources,
}

impl Query {
    /// Parses and checks an expression.
    ///
    /// # Errors
    /// A syntax or type error, or a function that is not evaluated here.
    pub fn parse(_text: &str) -> Result<Query, ParseError> {
        todo!()
    }

    /// The expression as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Names of the metrics it selects by name, sorted.
    pub fn metrics(&self) -> Vec<String> {
        todo!()
    }

    /// The longest span before the evaluation time that it reads: ranges, offsets and subqueries; look-back excluded.
    pub fn longest_range(&self) -> Duration {
        todo!()
    }

    /// The same expression with the one number to the right of its outermost comparison replaced; `None` when there is
    /// no such number.
    pub fn with_threshold(&self, _threshold: f64) -> Option<Query> {
        todo!()
    }
}

/// Evaluates an expression at one moment.
///
/// # Errors
/// What Prometheus calls an execution error: duplicate or many-to-many matches, a bad argument.
pub fn instant(_query: &Query, _store: &Store, _at: Timestamp) -> Result<Value, EvalError> {
    todo!()
}
