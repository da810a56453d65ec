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

use super::evaluate::{Entry, Evaluation, Outcome, Span};
use super::expr::{Call, Expr};
use super::parse::error;
use super::{EvalError, Kind as Type, ParseError};
use crate::sample::{Sources, Timestamp};

/// A function by its name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Function {
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
    Date(fn(&jiff::civil::DateTime) -> f64),
    /// In its own way.
    Own(fn(&Evaluation<'_>, &[Expr], i64) -> Result<Outcome, EvalError>),
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
    now: i64,
) -> Result<Outcome, EvalError> {
    let arguments = &call.arguments;
    match call.function.kind {
        Kind::Range(reduce) => range(evaluation, call, now, reduce, false),
        Kind::Picks(reduce) => range(evaluation, call, now, reduce, true),
        Kind::Map(map) => {
            let (params, sources) = params(evaluation, &arguments[1..], now)?;
            let entries = evaluation.vector(&arguments[0], now)?;
            Ok(Outcome::Vector(mapped(entries, &sources, |value| {
                map(value, &params)
            })))
        }
        Kind::Date(part) => {
            let entries = match arguments.first() {
                Some(argument) => evaluation.vector(argument, now)?,
                None => vec![single(now as f64 / 1000.0, Sources::default(), now)],
            };
            Ok(Outcome::Vector(mapped(
                entries,
                &Sources::default(),
                |value| Some(date::part(value, part)),
            )))
        }
        Kind::Own(own) => own(evaluation, arguments, now),
    }
}

fn range(
    evaluation: &Evaluation<'_>,
    call: &Call,
    now: i64,
    reduce: fn(&Samples<'_>, &[f64]) -> Option<f64>,
    keeps_name: bool,
) -> Result<Outcome, EvalError> {
    let is_range = |expr: &&Expr| matches!(expr, Expr::Matrix(..) | Expr::Subquery(_));
    let Some(argument) = call.arguments.iter().find(is_range) else {
        let name = call.function.name;
        return Err(EvalError::Failed(format!("{name} needs a range vector")));
    };
    let scalars = call.arguments.iter().filter(|expr| !is_range(expr));
    let (params, sources) = params(evaluation, scalars, now)?;
    trend::check(call.function.name, &params)?;
    let Span { rows, start, end } = evaluation.span(argument, now)?;
    let entries = rows.into_iter().filter_map(|row| {
        let samples = Samples {
            points: &row.points,
            start,
            end,
            now,
        };
        Some(Entry {
            value: reduce(&samples, &params)?,
            labels: row.labels,
            sources: row.sources.union(&sources),
            drop_name: row.drop_name || !keeps_name,
            at: now,
        })
    });
    Ok(Outcome::Vector(entries.collect()))
}

fn params<'e>(
    evaluation: &Evaluation<'_>,
    arguments: impl IntoIterator<Item = &'e Expr>,
    now: i64,
) -> Result<(Vec<f64>, Sources), EvalError> {
    let mut values = Vec::new();
    let mut all = Sources::default();
    for argument in arguments {
        let (value, sources) = evaluation.number(argument, now)?;
        values.push(value);
        all = all.union(&sources);
    }
    Ok((values, all))
}

fn mapped(entries: Vec<Entry>, sources: &Sources, map: impl Fn(f64) -> Option<f64>) -> Vec<Entry> {
    entries
        .into_iter()
        .filter_map(|entry| {
            Some(Entry {
                value: map(entry.value)?,
                sources: entry.sources.union(sources),
                drop_name: true,
                ..entry
            })
        })
        .collect()
}

/// An element without labels.
fn single(value: f64, sources: Sources, now: i64) -> Entry {
    Entry {
        labels: crate::sample::Labels::default(),
        value,
        sources,
        drop_name: false,
        at: now,
    }
}
