//! Walks an expression at one moment; what spans several moments (ranges, subqueries) is a loop over it.

use std::cell::OnceCell;

use super::EvalError;
use super::aggregate;
use super::binary;
use super::expr::{At, Expr, Selector, Shift, Subquery};
use super::function;
use super::read::{self, Loaded, Window};
use crate::sample::{Labels, NAME, Sources, Timestamp};
use crate::store::Store;

/// How far back an instant selector looks, in milliseconds.
pub(super) const LOOK_BACK: i64 = 5 * 60 * 1000;

/// The step of a subquery that names none, in milliseconds.
const DEFAULT_STEP: i64 = 60 * 1000;

/// More steps than this in one subquery are refused.
const MAX_STEPS: i64 = 100_000;

/// One element on its way through the expression.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) labels: Labels,
    pub(super) value: f64,
    pub(super) sources: Sources,
    /// The metric name goes at the very end, so that until then it can still be matched and grouped by.
    pub(super) drop_name: bool,
    /// When the sample was taken; of use for what comes straight from a selector.
    pub(super) at: i64,
}

/// One series of a range vector.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) labels: Labels,
    pub(super) sources: Sources,
    pub(super) drop_name: bool,
    pub(super) points: Vec<(Timestamp, f64)>,
}

/// A range vector and the span `(start, end]` it covers.
#[derive(Debug, Clone)]
pub(super) struct Span {
    pub(super) rows: Vec<Row>,
    pub(super) start: i64,
    pub(super) end: i64,
}

/// What a node evaluates to.
#[derive(Debug, Clone)]
pub(super) enum Outcome {
    Number(f64, Sources),
    Text(String),
    Vector(Vec<Entry>),
    Matrix(Span),
}

/// One evaluation: the store, the outermost first and last moment, and what was read so far.
pub(super) struct Evaluation<'a> {
    store: &'a Store,
    start: i64,
    end: i64,
    loaded: Vec<OnceCell<Loaded>>,
    windows: Vec<Window>,
}

impl<'a> Evaluation<'a> {
    /// Prepares to evaluate `expr` at moments from `start` to `end`.
    pub(super) fn new(store: &'a Store, expr: &Expr, start: i64, end: i64) -> Self {
        let mut evaluation = Evaluation {
            store,
            start,
            end,
            loaded: Vec::new(),
            windows: Vec::new(),
        };
        evaluation.plan(expr, start, end);
        evaluation
            .loaded
            .resize_with(evaluation.windows.len(), OnceCell::new);
        evaluation
    }

    /// Evaluates a node at a moment.
    pub(super) fn at(&self, expr: &Expr, now: i64) -> Result<Outcome, EvalError> {
        Ok(match expr {
            Expr::Number(value) => Outcome::Number(*value, Sources::default()),
            Expr::Text(text) => Outcome::Text(text.clone()),
            Expr::Vector(selector) => Outcome::Vector(self.newest(selector, now)),
            Expr::Matrix(..) | Expr::Subquery(_) => Outcome::Matrix(self.span(expr, now)?),
            Expr::Negative(inner) => match self.at(inner, now)? {
                Outcome::Number(value, sources) => Outcome::Number(-value, sources),
                other => Outcome::Vector(negated(vector(other)?)),
            },
            Expr::Binary(node) => binary::evaluate(self, node, now)?,
            Expr::Aggregate(node) => Outcome::Vector(aggregate::evaluate(self, node, now)?),
            Expr::Call(call) => function::evaluate(self, call, now)?,
        })
    }

    /// Evaluates a node whose type is instant vector.
    pub(super) fn vector(&self, expr: &Expr, now: i64) -> Result<Vec<Entry>, EvalError> {
        vector(self.at(expr, now)?)
    }

    /// Evaluates a node whose type is scalar.
    pub(super) fn number(&self, expr: &Expr, now: i64) -> Result<(f64, Sources), EvalError> {
        match self.at(expr, now)? {
            Outcome::Number(value, sources) => Ok((value, sources)),
            _ => Err(EvalError::Failed("expected a scalar".into())),
        }
    }

    /// Evaluates a node whose type is string.
    pub(super) fn text(&self, expr: &Expr, now: i64) -> Result<String, EvalError> {
        match self.at(expr, now)? {
            Outcome::Text(text) => Ok(text),
            _ => Err(EvalError::Failed("expected a string".into())),
        }
    }

    /// Evaluates a node whose type is range vector.
    pub(super) fn span(&self, expr: &Expr, now: i64) -> Result<Span, EvalError> {
        match expr {
            Expr::Matrix(selector, range) => {
                let end = self.shifted(selector.shift, now);
                let start = end.saturating_sub(*range);
                let rows = read::spans(self.load(selector), start, end);
                Ok(Span { rows, start, end })
            }
            Expr::Subquery(subquery) => self.subquery(subquery, now),
            _ => Err(EvalError::Failed("expected a range vector".into())),
        }
    }

    fn subquery(&self, subquery: &Subquery, now: i64) -> Result<Span, EvalError> {
        let end = self.shifted(subquery.shift, now);
        let start = end.saturating_sub(subquery.range);
        let steps = steps(subquery, start, end);
        if steps.clone().count() as i64 > MAX_STEPS {
            return Err(EvalError::Failed(format!(
                "subquery has more than {MAX_STEPS} steps"
            )));
        }
        let mut rows = read::Rows::default();
        for moment in steps {
            for entry in self.vector(&subquery.expr, moment)? {
                rows.push(moment, entry)?;
            }
        }
        Ok(Span {
            rows: rows.finish(),
            start,
            end,
        })
    }

    fn newest(&self, selector: &Selector, now: i64) -> Vec<Entry> {
        let until = self.shifted(selector.shift, now);
        read::newest(self.load(selector), until.saturating_sub(LOOK_BACK), until)
    }

    fn load(&self, selector: &Selector) -> &Loaded {
        self.loaded[selector.id]
            .get_or_init(|| read::load(self.store, &selector.matchers, self.windows[selector.id]))
    }

    fn shifted(&self, shift: Shift, now: i64) -> i64 {
        let moment = match shift.at {
            None => now,
            Some(At::Start) => self.start,
            Some(At::End) => self.end,
            Some(At::Moment(moment)) => moment,
        };
        moment.saturating_sub(shift.offset)
    }

    /// Notes for every selector the span that evaluations from `first` to `last` read. Selectors are met in the order
    /// of their places.
    fn plan(&mut self, expr: &Expr, first: i64, last: i64) {
        match expr {
            Expr::Vector(selector) => {
                let mut window = self.window(selector, first, last, LOOK_BACK);
                window.newest_only = window.until - window.after == LOOK_BACK;
                self.note(selector, window);
            }
            Expr::Matrix(selector, range) => {
                self.note(selector, self.window(selector, first, last, *range));
            }
            Expr::Subquery(subquery) => {
                let first = self.shifted(subquery.shift, first);
                let last = self.shifted(subquery.shift, last);
                self.plan(&subquery.expr, first.saturating_sub(subquery.range), last);
            }
            other => {
                for child in other.children() {
                    self.plan(child, first, last);
                }
            }
        }
    }

    fn window(&self, selector: &Selector, first: i64, last: i64, span: i64) -> Window {
        Window {
            after: self.shifted(selector.shift, first).saturating_sub(span),
            until: self.shifted(selector.shift, last),
            newest_only: false,
        }
    }

    fn note(&mut self, selector: &Selector, window: Window) {
        if self.windows.len() <= selector.id {
            self.windows.resize(selector.id + 1, Window::default());
        }
        self.windows[selector.id] = window;
    }
}

/// Moments at which a subquery is evaluated: multiples of its step in `(start, end]`.
fn steps(subquery: &Subquery, start: i64, end: i64) -> impl Iterator<Item = i64> + Clone {
    let step = subquery.step.unwrap_or(DEFAULT_STEP).max(1);
    let mut first = step * (start / step);
    if first <= start {
        first += step;
    }
    std::iter::successors(Some(first), move |moment| moment.checked_add(step))
        .take_while(move |moment| *moment <= end)
        .take(MAX_STEPS as usize + 1)
}

fn vector(outcome: Outcome) -> Result<Vec<Entry>, EvalError> {
    match outcome {
        Outcome::Vector(entries) => Ok(entries),
        _ => Err(EvalError::Failed("expected an instant vector".into())),
    }
}

fn negated(mut entries: Vec<Entry>) -> Vec<Entry> {
    for entry in &mut entries {
        entry.value = -entry.value;
        entry.drop_name = true;
    }
    entries
}

/// Labels as they leave the expression.
pub(super) fn final_labels(labels: &Labels, drop_name: bool) -> Labels {
    match drop_name {
        true => labels.filtered(|name| name != NAME),
        false => labels.clone(),
    }
}
