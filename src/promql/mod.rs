//! Expression + store + time → value. Syntax by promql-parser, evaluation by us; touches no network and no clock.

mod aggregate;
mod binary;
mod evaluate;
pub(crate) mod expr;
mod function;
mod grid;
mod limits;
mod matching;
mod notes;
mod number;
mod parse;
mod result;
mod rows;
mod select;
mod set;
mod span;
mod sum;
#[cfg(test)]
mod tests;
mod threshold;
mod token;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::sample::{Labels, Sources, Timestamp};
use crate::store::{Matcher, Series, Store};
use evaluate::Evaluation;
use expr::{Expr, Shift};
use parse::Timing;

pub use limits::{LOOK_BACK, Limits, MAX_SAMPLES, Moments, SUBQUERY_STEP};
pub use number::{format_exponent, format_number, format_plain, format_short};

/// Two elements of a result have the same labels.
const SAME_LABELS: &str = "vector cannot contain metrics with the same labelset";

/// An expression that has been parsed and type-checked.
#[derive(Debug, Clone)]
pub struct Query {
    text: String,
    expr: Arc<Expr>,
    /// A duration in it depends on the moments of evaluation.
    timed: bool,
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
pub enum EvalError {
    /// What Prometheus calls an execution error, in its words.
    #[error("{0}")]
    Failed(String),
    /// More samples than [`Limits::max_samples`] would have been held at once.
    #[error("query processing would load too many samples into memory in query execution")]
    TooManySamples,
    /// [`Limits::stopped`] said so.
    #[error("query timed out in expression evaluation")]
    Stopped,
}

/// The value of an expression, and what is to be known about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The value.
    pub value: Value,
    /// What makes the value doubtful, in Prometheus' words.
    pub warnings: Vec<String>,
    /// What may not have been meant, in Prometheus' words.
    pub infos: Vec<String>,
}

/// The type of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A number.
    Scalar,
    /// A text.
    Text,
    /// An instant vector.
    Vector,
    /// A range vector.
    Matrix,
}

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
    pub fn parse(text: &str) -> Result<Query, ParseError> {
        let parsed = parse::parse(text, None)?;
        Ok(Query {
            text: text.to_owned(),
            expr: Arc::new(parsed.expr),
            timed: parsed.timed,
        })
    }

    /// The expression as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The expression as it is evaluated, for whoever looks at it without evaluating it.
    pub(crate) fn expr(&self) -> &Expr {
        &self.expr
    }

    /// The type of its value.
    pub fn kind(&self) -> Kind {
        self.expr.kind()
    }

    /// The expression as Prometheus prints it: normal form, on one line.
    pub fn normal(&self) -> String {
        parse::normal(&self.text)
    }

    /// The expression as Prometheus' `format_query` lays it out over lines.
    pub fn pretty(&self) -> String {
        parse::pretty(&self.text)
    }

    /// Names of the metrics it selects by name, sorted.
    pub fn metrics(&self) -> Vec<String> {
        let mut names = BTreeSet::new();
        self.expr.visit(&mut |expr| {
            if let Expr::Vector(selector) | Expr::Matrix(selector, _) = expr {
                names.extend(selector.name.clone());
            }
        });
        names.into_iter().collect()
    }

    /// The longest span before the evaluation time that it reads: ranges, offsets and subqueries; look-back excluded.
    pub fn longest_range(&self) -> Duration {
        let span = self.expr.longest_range();
        Duration::from_millis(u64::try_from(span).unwrap_or(0))
    }

    /// The expression with the durations that depend on the moments of evaluation.
    fn timed_by(&self, moments: Moments) -> Result<Arc<Expr>, EvalError> {
        if !self.timed {
            return Ok(self.expr.clone());
        }
        let timing = match moments {
            Moments::At(_) => Timing::default(),
            Moments::Range { start, end, step } => Timing {
                step,
                range: end.since(start),
            },
        };
        match parse::parse(&self.text, Some(timing)) {
            Ok(parsed) => Ok(Arc::new(parsed.expr)),
            Err(error) => Err(EvalError::Failed(error.message)),
        }
    }

    /// What the outermost comparison compares, such as `a` of `a > 1 and b > 2`: its values are there also while the
    /// comparison does not hold. The expression itself where there is none; `None` where its durations depend on when it
    /// is evaluated.
    pub fn compared(&self) -> Option<Query> {
        (!self.timed).then(|| Query {
            text: self.text.clone(),
            expr: Arc::new(self.expr.compared().clone()),
            timed: false,
        })
    }

    /// Whether the outermost comparison holds for what is small, as that of `a < 1` and of `1 > a` does.
    pub fn wants_less(&self) -> bool {
        self.expr.wants_less()
    }

    /// The same expression with the one number to the right of its outermost comparison replaced; `None` when there is
    /// no such number. In `a > 1 and b > 2` the comparison that counts is the first one: it makes the value.
    pub fn with_threshold(&self, threshold: f64) -> Option<Query> {
        let text = threshold::replaced(&self.text, threshold)?;
        Query::parse(&text).ok()
    }
}

/// Reads the selector of an instant vector, such as the `match[]` of an API request: its matchers, `__name__` among them.
///
/// # Errors
/// It is no PromQL, or anything else than a plain selector.
pub fn selector(text: &str) -> Result<Vec<Matcher>, ParseError> {
    match parse::parse(text, None)?.expr {
        Expr::Vector(selector) if selector.shift == Shift::default() => Ok(selector.matchers),
        _ => Err(parse::error("expected a selector of series alone")),
    }
}

/// Evaluates an expression.
///
/// # Errors
/// What Prometheus calls an execution error: duplicate or many-to-many matches, a bad argument; for a range also an
/// expression whose type is neither scalar nor instant vector. Or a limit was met.
pub fn evaluate(
    query: &Query,
    store: &Store,
    moments: Moments,
    limits: &Limits<'_>,
) -> Result<Answer, EvalError> {
    let grid = moments.grid()?;
    let expr = query.timed_by(moments)?;
    let evaluation = Evaluation::new(store, moments, limits);
    let value = match moments {
        Moments::At(_) => result::at_once(&evaluation, &expr, grid)?,
        Moments::Range { .. } => result::over_time(&evaluation, &expr, grid)?,
    };
    let (warnings, infos) = evaluation.notes.into_inner().finish(&query.text);
    Ok(Answer {
        value,
        warnings,
        infos,
    })
}

/// The value of an expression at one moment, under the usual limits.
///
/// # Errors
/// As [`evaluate`].
pub fn instant(query: &Query, store: &Store, at: Timestamp) -> Result<Value, EvalError> {
    let answer = evaluate(query, store, Moments::At(at), &Limits::default())?;
    Ok(answer.value)
}
