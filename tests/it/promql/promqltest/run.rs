//! Runs a script: every expression is evaluated over what was loaded and compared with what it should give.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use pgvigil::promql::{self, Answer, Limits, Moments, Query, Value};
use pgvigil::sample::{Labels, Timestamp};
use pgvigil::store::Store;

use super::super::compare::near;
use super::super::{empty_store, sources};
use super::again;
use super::case::Case;
use super::points::Point;
use super::script::{Command, Load};
use super::special::{self, Special, SpecialSeries};

const TOLERANCE: f64 = 1e-6;
const PATIENCE: Duration = Duration::from_secs(60);

/// How a case ended.
#[derive(Debug)]
pub enum Verdict {
    Passed,
    Skipped(Special),
    Failed(String),
}

/// A case that was run.
pub struct Done {
    pub line: usize,
    pub text: String,
    pub verdict: Verdict,
}

/// Runs a script.
pub fn run(commands: Vec<Command>) -> Vec<Done> {
    let mut store = empty_store();
    let mut special = Vec::new();
    let mut done = Vec::new();
    for command in commands {
        match command {
            Command::Clear => {
                store = empty_store();
                special.clear();
            }
            Command::Load(load) => {
                special.extend(fill(&store, load));
            }
            Command::Eval(case) => done.push(Done {
                verdict: verdict(&store, &case, &special),
                line: case.line,
                text: case.query,
            }),
            Command::Unreadable {
                line,
                text,
                problem,
            } => done.push(Done {
                line,
                text,
                verdict: Verdict::Failed(problem),
            }),
        }
    }
    done
}

fn fill(store: &Store, load: Load) -> Vec<SpecialSeries> {
    // Of two lines for one series the later counts.
    let series: BTreeMap<Labels, Vec<Point>> = load.series.into_iter().collect();
    let step = load.step.as_millis() as i64;
    for (labels, points) in series {
        for (place, point) in points.into_iter().enumerate() {
            if let Point::Float(value) = point {
                let at = Timestamp(place as i64 * step);
                store.append(at, &sources(), [(labels.clone(), value)]);
            }
        }
    }
    load.special
}

fn verdict(store: &Store, case: &Case, special: &[SpecialSeries]) -> Verdict {
    let outcome = catch_unwind(AssertUnwindSafe(|| outcome(store, case)));
    match outcome {
        Ok(Ok(())) => Verdict::Passed,
        Ok(Err(problem)) => match special::reason(case, &problem, special) {
            Some(reason) => Verdict::Skipped(reason),
            None => Verdict::Failed(problem),
        },
        Err(_) => Verdict::Failed("it panicked".into()),
    }
}

fn outcome(store: &Store, case: &Case) -> Result<(), String> {
    once(store, case, &case.query, case.moments)?;
    let Moments::At(Timestamp(at)) = case.moments else {
        return Ok(());
    };
    if let Some((query, moments)) = again::at_other_moments(&case.query, at) {
        for at in moments {
            once(store, case, &query, Moments::At(Timestamp(at)))
                .map_err(|problem| format!("as {query} at {at} ms: {problem}"))?;
        }
    }
    Ok(())
}

/// Evaluates and compares; what is evaluated at one moment also as one of several.
fn once(store: &Store, case: &Case, query: &str, moments: Moments) -> Result<(), String> {
    let expected = &case.expected;
    let answer = match (evaluated(store, query, moments), &expected.fails) {
        (Err(message), Some(wording)) if wording.fits(&message) => return Ok(()),
        (Err(message), Some(wording)) => {
            return Err(format!("{message}, but should be {wording:?}"));
        }
        (Err(message), None) => return Err(message),
        (Ok(answer), Some(_)) => return Err(format!("no error but {:?}", answer.value)),
        (Ok(answer), None) => answer,
    };
    expected.warnings.check("warnings", &answer.warnings)?;
    expected.infos.check("infos", &answer.infos)?;
    compare(&answer.value, case, moments)?;
    match moments {
        Moments::At(at) if may_be_ranged(case, query) => {
            amid(store, case, query, at).map_err(|problem| format!("as a range query: {problem}"))
        }
        _ => Ok(()),
    }
}

fn evaluated(store: &Store, query: &str, moments: Moments) -> Result<Answer, String> {
    let query = Query::parse(query).map_err(|error| error.message)?;
    let begun = Instant::now();
    let limits = Limits {
        stopped: &|| begun.elapsed() > PATIENCE,
        ..Limits::default()
    };
    promql::evaluate(&query, store, moments, &limits).map_err(|error| error.to_string())
}

/// Whether an instant query gives the same in the middle of a range query. A range's result is in the order of labels.
fn may_be_ranged(case: &Case, query: &str) -> bool {
    let expected = &case.expected;
    let tells_the_range = ["start()", "end()", "range()", "step()"];
    expected.span.is_none()
        && !expected.is_text
        && !expected.ordered
        && !tells_the_range.iter().any(|call| query.contains(call))
}

fn amid(store: &Store, case: &Case, query: &str, at: Timestamp) -> Result<(), String> {
    let step = Duration::from_secs(60);
    let moments = Moments::Range {
        start: at.before(step),
        end: Timestamp(at.0 + 60_000),
        step,
    };
    let Value::Matrix(series) = evaluated(store, query, moments)?.value else {
        return Err("no range vector".into());
    };
    let middle = series.iter().filter_map(|series| {
        let (_, value) = series.points.iter().find(|(time, _)| *time == at)?;
        Some((series.labels.clone(), vec![Point::Float(*value)]))
    });
    let got: Vec<_> = middle.collect();
    match (case.expected.number, &got[..]) {
        (Some(number), [(labels, points)]) if labels.is_empty() => {
            same_points(points, &[Point::Float(number)])
                .then_some(())
                .ok_or_else(|| format!("{points:?}"))
        }
        (Some(_), _) => Err(format!("{got:?}")),
        (None, _) => same(got, case),
    }
}

fn compare(value: &Value, case: &Case, moments: Moments) -> Result<(), String> {
    let expected = &case.expected;
    let agree = match value {
        Value::Scalar(value) => expected
            .number
            .is_some_and(|number| near(*value, number, TOLERANCE)),
        Value::Text(text) => expected.text == *text,
        Value::Vector(elements) => {
            let got = elements
                .iter()
                .map(|e| (e.labels.clone(), vec![Point::Float(e.value)]));
            return same(got.collect(), case);
        }
        Value::Matrix(series) => {
            let moments = expected.span.unwrap_or(moments);
            let got = series.iter().map(|series| {
                let points = on_grid(&series.points, moments)?;
                Ok((series.labels.clone(), points))
            });
            return same(got.collect::<Result<_, String>>()?, case);
        }
    };
    agree.then_some(()).ok_or_else(|| format!("{value:?}"))
}

/// Points with gaps where a moment has none.
fn on_grid(points: &[(Timestamp, f64)], moments: Moments) -> Result<Vec<Point>, String> {
    let Moments::Range { start, step, .. } = moments else {
        return Err("a range vector".into());
    };
    let step = step.as_millis() as i64;
    let mut spread = Vec::new();
    for (at, value) in points {
        let since = at.0 - start.0;
        if since < 0 || since % step != 0 {
            return Err(format!("a point at {} ms", at.0));
        }
        spread.resize((since / step) as usize, Point::Gap);
        spread.push(Point::Float(*value));
    }
    Ok(spread)
}

fn same(mut got: Vec<(Labels, Vec<Point>)>, case: &Case) -> Result<(), String> {
    let expected = &case.expected;
    let differs = || format!("{got:?}");
    if expected.number.is_some() {
        return Err(format!("no scalar but {}", differs()));
    }
    let mut wanted: Vec<(&Labels, &[Point])> = expected
        .series
        .iter()
        .map(|(labels, points)| (labels, without_end(points)))
        .collect();
    let problem = differs();
    if !expected.ordered {
        got.sort_by(|a, b| a.0.cmp(&b.0));
        wanted.sort_by(|a, b| a.0.cmp(b.0));
    }
    let agree = got.len() == wanted.len()
        && got
            .iter()
            .zip(&wanted)
            .all(|((labels, points), wanted)| labels == wanted.0 && same_points(points, wanted.1));
    agree.then_some(()).ok_or(problem)
}

/// Without the gaps behind the last point.
fn without_end(points: &[Point]) -> &[Point] {
    let last = points.iter().rposition(|point| *point != Point::Gap);
    &points[..last.map_or(0, |last| last + 1)]
}

fn same_points(got: &[Point], wanted: &[Point]) -> bool {
    got.len() == wanted.len()
        && got.iter().zip(wanted).all(|pair| match pair {
            (Point::Float(got), Point::Float(wanted)) => near(*got, *wanted, TOLERANCE),
            (got, wanted) => got == wanted,
        })
}
