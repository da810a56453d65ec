//! Runs a script: every expression is evaluated over what was loaded and compared with what it should give.

use std::collections::BTreeMap;
use std::time::Duration;

use pgvigil::promql::{self, Query, Value};
use pgvigil::sample::{Labels, Source, Sources, Timestamp};
use pgvigil::store::{Settings, Store};

use super::points::Point;
use super::script::{Case, Command, Moments};

/// How a case ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    Passed,
    Skipped(&'static str),
    Failed(String),
}

/// Runs a script and returns the line, the expression and the verdict of each case.
pub fn run(commands: Vec<Command>) -> Vec<(usize, String, Verdict)> {
    let mut store = empty();
    let mut native: Vec<String> = Vec::new();
    let mut verdicts = Vec::new();
    for command in commands {
        match command {
            Command::Clear => {
                store = empty();
                native.clear();
            }
            Command::Load {
                step,
                series,
                native: more,
            } => {
                load(&store, step, series);
                native.extend(more);
            }
            Command::Eval(case) => {
                let verdict = verdict(&store, &case, &native);
                verdicts.push((case.line, case.query, verdict));
            }
        }
    }
    verdicts
}

fn empty() -> Store {
    let settings = Settings {
        retention: Duration::from_secs(1 << 32),
        max_bytes: 1 << 40,
    };
    Store::new(&settings, Timestamp(0))
}

fn load(store: &Store, step: Duration, series: Vec<(Labels, Vec<Point>)>) {
    let sources = Sources::one(Source::new("test", "", "script"));
    // Of two lines for one series the later counts.
    let series: BTreeMap<Labels, Vec<Point>> = series.into_iter().collect();
    for (labels, points) in series {
        for (place, value) in points.into_iter().enumerate() {
            if let Some(value) = value {
                let at = Timestamp(place as i64 * step.as_millis() as i64);
                store.append(at, &sources, [(labels.clone(), value)]);
            }
        }
    }
}

fn verdict(store: &Store, case: &Case, native: &[String]) -> Verdict {
    match outcome(store, case) {
        Ok(()) => Verdict::Passed,
        Err(problem) => match reason_to_skip(case, &problem, native) {
            Some(reason) => Verdict::Skipped(reason),
            None => Verdict::Failed(problem),
        },
    }
}

/// Why a case that does not pass need not: it is about what pgvigil refuses to evaluate, and says so.
fn reason_to_skip(case: &Case, problem: &str, native: &[String]) -> Option<&'static str> {
    if problem.contains("is experimental and not evaluated")
        || problem.contains("are experimental and not evaluated")
    {
        return Some("experimental");
    }
    let metrics = Query::parse(&case.query).map(|query| query.metrics());
    let touched = |metrics: Vec<String>| {
        native
            .iter()
            .any(|name| metrics.is_empty() || metrics.contains(name))
    };
    let about_native =
        case.expected.native || problem.contains("native histograms") || metrics.is_ok_and(touched);
    about_native.then_some("native histogram")
}

fn outcome(store: &Store, case: &Case) -> Result<(), String> {
    let value = Query::parse(&case.query)
        .map_err(|error| error.message)
        .and_then(|query| {
            evaluated(&query, store, case.moments).map_err(|error| error.to_string())
        });
    let expected = &case.expected;
    let value = match value {
        Err(_) if expected.native => return Err("native histograms".into()),
        Err(message) if expected.fails => return same_message(case, &message),
        Err(message) => return Err(message),
        Ok(value) if expected.fails => return Err(format!("no error but {value:?}")),
        Ok(value) => value,
    };
    if expected.native {
        return Err("native histograms in the result".into());
    }
    let agree = match (&value, case.moments) {
        (Value::Scalar(value), _) => expected.number.is_some_and(|number| near(*value, number)),
        (Value::Text(text), _) => expected.text.as_ref() == Some(text),
        (Value::Vector(elements), _) => {
            let got = elements
                .iter()
                .map(|e| (e.labels.clone(), vec![Some(e.value)]));
            same(got.collect(), case)
        }
        (Value::Matrix(series), Moments::Range(start, _, step)) => {
            let on_grid = |at: Timestamp| ((at.0 - start.0) / step.as_millis() as i64) as usize;
            let got = series.iter().map(|series| {
                let mut points = Vec::new();
                for (at, value) in &series.points {
                    points.resize(on_grid(*at), None);
                    points.push(Some(*value));
                }
                (series.labels.clone(), points)
            });
            same(got.collect(), case)
        }
        (Value::Matrix(_), Moments::At(_)) => return Err("a range vector".into()),
    };
    agree.then_some(()).ok_or_else(|| format!("{value:?}"))
}

fn evaluated(query: &Query, store: &Store, moments: Moments) -> Result<Value, promql::EvalError> {
    let moments = match moments {
        Moments::At(at) => promql::Moments::At(at),
        Moments::Range(start, end, step) => promql::Moments::Range { start, end, step },
    };
    let answer = promql::evaluate(query, store, moments, &promql::Limits::default())?;
    Ok(answer.value)
}

fn same_message(case: &Case, message: &str) -> Result<(), String> {
    let expected = &case.expected;
    let agree = match (&expected.message, &expected.pattern) {
        (Some(wanted), _) => message == wanted,
        (_, Some(pattern)) => regex::Regex::new(pattern).unwrap().is_match(message),
        (None, None) => true,
    };
    agree
        .then_some(())
        .ok_or_else(|| format!("another error: {message}"))
}

fn same(mut got: Vec<(Labels, Vec<Point>)>, case: &Case) -> bool {
    let mut wanted = case.expected.series.clone();
    for (_, points) in got.iter_mut().chain(&mut wanted) {
        while points.last() == Some(&None) {
            points.pop();
        }
    }
    got.retain(|(_, points)| !points.is_empty());
    wanted.retain(|(_, points)| !points.is_empty());
    if !case.expected.ordered {
        got.sort_by(|a, b| a.0.cmp(&b.0));
        wanted.sort_by(|a, b| a.0.cmp(&b.0));
    }
    got.len() == wanted.len()
        && got.iter().zip(&wanted).all(|(got, wanted)| {
            let points = got.1.iter().zip(&wanted.1);
            got.0 == wanted.0
                && got.1.len() == wanted.1.len()
                && points.into_iter().all(|pair| match pair {
                    (Some(got), Some(wanted)) => near(*got, *wanted),
                    (got, wanted) => got.is_none() && wanted.is_none(),
                })
        })
}

/// Within a relative millionth, as Prometheus' own runner compares.
fn near(a: f64, b: f64) -> bool {
    const TOLERANCE: f64 = 1e-6;
    if (a.is_nan() && b.is_nan()) || a == b {
        return true;
    }
    let (size, difference) = (a.abs() + b.abs(), (a - b).abs());
    if a == 0.0 || b == 0.0 || size < f64::MIN_POSITIVE {
        return difference < TOLERANCE * f64::MIN_POSITIVE;
    }
    difference / size.min(f64::MAX) < TOLERANCE
}
