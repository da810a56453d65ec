//! Walks an expression, each node once: what a node gives, it gives for all moments of its grid.

use std::cell::{Cell, RefCell};

use super::aggregate;
use super::binary;
use super::expr::{At, Expr, Selector, Shift};
use super::function;
use super::grid::Grid;
use super::notes::Notes;
use super::rows::{Numbers, Rows};
use super::select;
use super::span::Spans;
use super::{EvalError, Kind, Limits, Moments};
use crate::store::Store;

/// What a node evaluates to. Range vectors are not among it: they are asked for by who applies a function to them.
#[derive(Debug, Clone)]
pub(super) enum Outcome {
    Numbers(Numbers),
    Text(String),
    Rows(Rows),
}

impl Outcome {
    /// How many values it holds.
    fn size(&self) -> usize {
        match self {
            Outcome::Numbers(numbers) => numbers.values.len(),
            Outcome::Text(_) => 1,
            Outcome::Rows(rows) => rows.size(),
        }
    }
}

/// One evaluation of a whole expression.
pub(super) struct Evaluation<'a> {
    pub(super) store: &'a Store,
    pub(super) notes: RefCell<Notes>,
    limits: &'a Limits<'a>,
    /// What `@ start()` and `@ end()` mean. The end need not be among the moments.
    start: i64,
    end: i64,
    held: Cell<usize>,
}

impl<'a> Evaluation<'a> {
    /// Prepares to evaluate an expression.
    pub(super) fn new(store: &'a Store, moments: Moments, limits: &'a Limits<'a>) -> Self {
        let (start, end) = match moments {
            Moments::At(at) => (at.0, at.0),
            Moments::Range { start, end, .. } => (start.0, end.0),
        };
        Evaluation {
            store,
            notes: RefCell::default(),
            limits,
            start,
            end,
            held: Cell::new(0),
        }
    }

    /// Evaluates a node at every moment of a grid. While it is evaluated, what its operands gave is held beside it.
    pub(super) fn at(&self, expr: &Expr, grid: Grid) -> Result<Outcome, EvalError> {
        if grid.count == 0 {
            return Ok(nothing(expr));
        }
        let before = self.held.get();
        self.hold(grid.count)?;
        let outcome = self.node(expr, grid)?;
        self.hold(outcome.size())?;
        self.held.set(before + outcome.size());
        Ok(outcome)
    }

    fn node(&self, expr: &Expr, grid: Grid) -> Result<Outcome, EvalError> {
        Ok(match expr {
            Expr::Number(value) => Outcome::Numbers(Numbers::constant(*value, grid.count)),
            Expr::Text(text) => Outcome::Text(text.clone()),
            Expr::Vector(selector) => Outcome::Rows(select::newest(self, selector, grid)?),
            Expr::Matrix(..) | Expr::Subquery(_) => {
                return Err(EvalError::Failed("unexpected range vector".into()));
            }
            Expr::Negative(inner) => negated(self.at(inner, grid)?),
            Expr::Binary(node) => binary::evaluate(self, node, grid)?,
            Expr::Aggregate(node) => Outcome::Rows(aggregate::evaluate(self, node, grid)?),
            Expr::Call(call) => function::evaluate(self, call, grid)?,
        })
    }

    /// Evaluates a node whose type is instant vector.
    pub(super) fn rows(&self, expr: &Expr, grid: Grid) -> Result<Rows, EvalError> {
        match self.at(expr, grid)? {
            Outcome::Rows(rows) => Ok(rows),
            _ => Err(EvalError::Failed("expected an instant vector".into())),
        }
    }

    /// Evaluates a node whose type is scalar.
    pub(super) fn numbers(&self, expr: &Expr, grid: Grid) -> Result<Numbers, EvalError> {
        match self.at(expr, grid)? {
            Outcome::Numbers(numbers) => Ok(numbers),
            _ => Err(EvalError::Failed("expected a scalar".into())),
        }
    }

    /// Evaluates a node whose type is string.
    pub(super) fn text(&self, expr: &Expr) -> Result<String, EvalError> {
        match self.at(expr, Grid::once(self.start))? {
            Outcome::Text(text) => Ok(text),
            _ => Err(EvalError::Failed("expected a string".into())),
        }
    }

    /// Evaluates a node whose type is range vector: all that its windows reach over the whole grid.
    pub(super) fn spans<'e>(&self, expr: &'e Expr, grid: Grid) -> Result<Spans<'e>, EvalError> {
        match expr {
            Expr::Matrix(selector, range) => {
                let tracks = select::tracks(self, selector, *range, grid)?;
                Ok(Spans::new(tracks, *range, &selector.shift))
            }
            Expr::Subquery(subquery) => {
                let tracks = select::subquery(self, subquery, grid)?;
                Ok(Spans::new(tracks, subquery.range, &subquery.shift))
            }
            _ => Err(EvalError::Failed("expected a range vector".into())),
        }
    }

    /// Notes that so many more samples are held.
    pub(super) fn hold(&self, samples: usize) -> Result<(), EvalError> {
        self.go_on()?;
        let held = self.held.get().saturating_add(samples);
        self.held.set(held);
        match held <= self.limits.max_samples {
            true => Ok(()),
            false => Err(EvalError::TooManySamples),
        }
    }

    /// How many more samples may be held.
    pub(super) fn room(&self) -> usize {
        self.limits.max_samples.saturating_sub(self.held.get())
    }

    /// Whether the evaluation may go on; asked in every long loop.
    pub(super) fn go_on(&self) -> Result<(), EvalError> {
        match (self.limits.stopped)() {
            true => Err(EvalError::Stopped),
            false => Ok(()),
        }
    }

    /// How far back an instant selector looks, in milliseconds.
    pub(super) fn look_back(&self) -> i64 {
        i64::try_from(self.limits.look_back.as_millis()).unwrap_or(i64::MAX)
    }

    /// The step of a subquery that names none, in milliseconds.
    pub(super) fn subquery_step(&self) -> i64 {
        i64::try_from(self.limits.subquery_step.as_millis()).unwrap_or(i64::MAX)
    }

    /// The moment that a node looks at, at a moment of its grid.
    pub(super) fn shifted(&self, shift: &Shift, now: i64) -> i64 {
        let moment = match shift.at {
            None => now,
            Some(At::Start) => self.start,
            Some(At::End) => self.end,
            Some(At::Moment(moment)) => moment,
        };
        moment.saturating_sub(shift.offset)
    }

    /// The first and the last moment that a selector looks at.
    pub(super) fn reach(&self, selector: &Selector, grid: Grid) -> (i64, i64) {
        let first = self.shifted(&selector.shift, grid.start);
        (first, self.shifted(&selector.shift, grid.last()))
    }
}

/// What an expression gives where there is no moment, whatever would be wrong with it at one.
fn nothing(expr: &Expr) -> Outcome {
    match expr.kind() {
        Kind::Scalar => Outcome::Numbers(Numbers::constant(f64::NAN, 0)),
        Kind::Text => Outcome::Text(String::new()),
        Kind::Vector | Kind::Matrix => Outcome::Rows(Rows::new(0)),
    }
}

fn negated(outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Numbers(mut numbers) => {
            for value in &mut numbers.values {
                *value = -*value;
            }
            Outcome::Numbers(numbers)
        }
        Outcome::Rows(rows) => {
            let mut rows = rows.map(|value, _| Some(-value));
            for head in rows.heads_mut() {
                head.drop_name = true;
            }
            Outcome::Rows(rows)
        }
        text => text,
    }
}
