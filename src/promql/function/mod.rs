//! The functions of PromQL, by name: a table of what each computes, and the few ways in which they are applied.

mod absent;
mod counter;
mod date;
mod histogram;
mod label;
mod math;
mod order;
mod over_time;
mod table;
mod trend;

use super::evaluate::{Evaluation, Outcome};
use super::expr::{Call, Expr};
use super::grid::Grid;
use super::parse::error;
use super::rows::{Head, Numbers, Rows};
use super::span::Window;
use super::{EvalError, Kind as Type, ParseError};
use crate::sample::{Sources, Timestamp};

/// A function by its name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Function {
    name: &'static str,
    kind: Kind,
}

/// How a function is applied.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// To the samples of each series of a range vector, with the scalar arguments. Takes the metric name away.
    Range(fn(&Samples<'_>, &[f64]) -> Option<f64>),
    /// The same, but the metric name stays.
    Picks(fn(&Samples<'_>, &[f64]) -> Option<f64>),
    /// To each value of an instant vector, with the scalar arguments.
    Map(fn(f64, &[f64]) -> Option<f64>),
    /// To each value as a moment in UTC, or to now.
    Date(fn(&date::Date) -> i64),
    /// In its own way.
    Own(fn(&Evaluation<'_>, &Call, Grid) -> Result<Outcome, EvalError>),
}

/// The samples of one series in a range. There is at least one.
struct Samples<'a> {
    points: &'a [(Timestamp, f64)],
    /// The range is `(start, end]`.
    start: i64,
    end: i64,
    /// The moment of evaluation.
    now: i64,
}

impl Samples<'_> {
    fn values(&self) -> impl Iterator<Item = f64> + Clone {
        self.points.iter().map(|(_, value)| *value)
    }
}

impl Function {
    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        self.name
    }

    /// The type of its value.
    pub(super) fn gives(self) -> Type {
        match self.name {
            "pi" | "time" | "scalar" => Type::Scalar,
            _ => Type::Vector,
        }
    }
}

/// Finds a function.
///
/// # Errors
/// There is none of that name, or it is one that is not evaluated here.
pub(super) fn find(name: &'static str) -> Result<Function, ParseError> {
    if let Some((name, kind)) = table::FUNCTIONS.iter().find(|(known, _)| *known == name) {
        return Ok(Function { name, kind: *kind });
    }
    Err(error(match table::NATIVE.contains(&name) {
        true => format!("function \"{name}\" works on native histograms, which are not evaluated"),
        false => format!("function \"{name}\" is experimental and not evaluated"),
    }))
}

/// Evaluates the arguments and applies the function.
pub(super) fn evaluate(
    evaluation: &Evaluation<'_>,
    call: &Call,
    grid: Grid,
) -> Result<Outcome, EvalError> {
    let arguments = &call.arguments;
    match call.function.kind {
        Kind::Range(reduce) => range(evaluation, call, grid, reduce, false),
        Kind::Picks(reduce) => range(evaluation, call, grid, reduce, true),
        Kind::Map(map) => {
            let params = Params::of(evaluation, &arguments[1..], grid)?;
            let rows = evaluation.rows(&arguments[0], grid)?;
            let rows = match params.each.is_empty() {
                true => rows.map(|value, _| map(value, &[])),
                false => rows.map(|value, place| map(value, &params.at(place))),
            };
            Ok(Outcome::Rows(renamed(rows, &params.sources)))
        }
        Kind::Date(part) => {
            let rows = match arguments.first() {
                Some(argument) => evaluation.rows(argument, grid)?,
                None => single(Numbers {
                    values: math::seconds(grid).collect(),
                    sources: Sources::default(),
                }),
            };
            let rows = rows.map(|value, _| Some(part(&date::Date::of(value)) as f64));
            Ok(Outcome::Rows(renamed(rows, &Sources::default())))
        }
        Kind::Own(own) => own(evaluation, call, grid),
    }
}

/// Applies a function to every window over every series.
fn range(
    evaluation: &Evaluation<'_>,
    call: &Call,
    grid: Grid,
    reduce: fn(&Samples<'_>, &[f64]) -> Option<f64>,
    keeps_name: bool,
) -> Result<Outcome, EvalError> {
    let is_range = |expr: &&Expr| matches!(expr, Expr::Matrix(..) | Expr::Subquery(_));
    let Some(argument) = call.arguments.iter().find(is_range) else {
        let name = call.function.name;
        return Err(EvalError::Failed(format!("{name} needs a range vector")));
    };
    let scalars = call.arguments.iter().filter(|expr| !is_range(expr));
    let params = Params::of(evaluation, scalars, grid)?;
    let spans = evaluation.spans(argument, grid)?;
    let mut rows = Rows::with_capacity(grid.count, spans.tracks.len());
    let moments = || grid.moments().zip(0..);
    for track in &spans.tracks {
        evaluation.go_on()?;
        let (mut failed, before) = (None, rows.len());
        let head = Head {
            labels: track.head.labels.clone(),
            sources: track.head.sources.union(&params.sources),
            drop_name: track.head.drop_name || !keeps_name,
        };
        rows.push(head, |row| {
            let windows = spans.windows(evaluation, &track.points, grid);
            for ((window, (now, place)), value) in windows.zip(moments()).zip(row) {
                if window.points.is_empty() || failed.is_some() {
                    continue;
                }
                let params = params.at(place);
                failed = doubt(evaluation, call, &params).err();
                let result = reduce(&Samples::of(window, now), &params);
                *value = result.unwrap_or(*value);
            }
        });
        if let Some(error) = failed {
            return Err(error);
        }
        if rows.len() > before {
            doubt_counter(evaluation, call, track.head.labels.metric());
        }
    }
    Ok(Outcome::Rows(rows))
}

/// Refuses or warns of scalar arguments that make no sense.
fn doubt(evaluation: &Evaluation<'_>, call: &Call, params: &[f64]) -> Result<(), EvalError> {
    evaluation.go_on()?;
    match (call.function.name, params) {
        ("double_exponential_smoothing", factors) => trend::check_factors(factors),
        ("quantile_over_time", [q]) if !(0.0..=1.0).contains(q) => {
            let mut notes = evaluation.notes.borrow_mut();
            notes.quantile(*q, call.place(0));
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Says so when a rate is taken of what is hardly a counter.
fn doubt_counter(evaluation: &Evaluation<'_>, call: &Call, metric: &str) {
    let counted = ["_total", "_sum", "_count", "_bucket"];
    let of_counters = matches!(call.function.name, "rate" | "increase");
    if of_counters && !metric.is_empty() && !counted.iter().any(|end| metric.ends_with(end)) {
        // Prometheus always names the beginning where the argument is a subquery.
        let place = match call.arguments.first() {
            Some(Expr::Subquery(_)) => Some(0),
            _ => call.place(0),
        };
        evaluation.notes.borrow_mut().no_counter(metric, place);
    }
}

/// The scalar arguments of a function at every moment.
struct Params {
    each: Vec<Vec<f64>>,
    sources: Sources,
}

impl Params {
    fn of<'e>(
        evaluation: &Evaluation<'_>,
        arguments: impl IntoIterator<Item = &'e Expr>,
        grid: Grid,
    ) -> Result<Self, EvalError> {
        let mut params = Params {
            each: Vec::new(),
            sources: Sources::default(),
        };
        for argument in arguments {
            let numbers = evaluation.numbers(argument, grid)?;
            params.sources = params.sources.union(&numbers.sources);
            params.each.push(numbers.values);
        }
        Ok(params)
    }

    fn at(&self, place: usize) -> Vec<f64> {
        self.each.iter().map(|values| values[place]).collect()
    }
}

impl<'a> Samples<'a> {
    fn of(window: Window<'a>, now: i64) -> Self {
        Samples {
            points: window.points,
            start: window.start,
            end: window.end,
            now,
        }
    }
}

fn renamed(mut rows: Rows, sources: &Sources) -> Rows {
    for head in rows.heads_mut() {
        head.drop_name = true;
        head.sources = head.sources.union(sources);
    }
    rows
}

/// A vector of one element without labels.
fn single(numbers: Numbers) -> Rows {
    let head = Head {
        sources: numbers.sources,
        ..Head::default()
    };
    let mut rows = Rows::new(numbers.values.len());
    rows.push(head, |row| row.copy_from_slice(&numbers.values));
    rows
}
