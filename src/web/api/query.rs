//! Expressions: `query`, `query_range`, `query_exemplars`, `format_query`.

use std::time::{Duration, Instant};

use crate::promql::{
    self, Answer as Evaluated, EvalError, Kind as Type, Limits, Moments, ParseError, Query, Value,
    format_plain,
};
use crate::sample::Timestamp;
use crate::store::{Series, Store};

use super::answer::{Answer, keep};
use super::failure::{Failure, Kind, placed};
use super::json::{Object, array, number, object, point, text};
use super::times::span;
use super::{Asked, Settings};

/// More points than this in one series are more than anybody can see.
const MOST_POINTS: i128 = 11_000;

const NO_STEP: &str =
    "zero or negative query resolution step widths are not accepted. Try a positive integer";
const TOO_FINE: &str = "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)";

/// An expression that has been understood, ready to be evaluated.
pub(super) struct Job {
    query: Query,
    moments: Moments,
    /// The most series wanted; 0 for all.
    limit: usize,
    /// The most time wanted.
    pub(super) timeout: Duration,
    look_back: Option<Duration>,
    wants_stats: bool,
}

/// `query`
pub(super) fn instant(asked: &Asked) -> Result<Job, Failure> {
    let limit = asked.parameters.limit()?;
    let at = asked.parameters.moment("time")?.unwrap_or(asked.now);
    job(asked, Moments::At(at), limit)
}

/// `query_range`
pub(super) fn range(asked: &Asked) -> Result<Job, Failure> {
    let parameters = &asked.parameters;
    let limit = parameters.limit()?;
    let start = parameters.needed_moment("start")?;
    let end = parameters.needed_moment("end")?;
    if end < start {
        return Err(Failure::of(
            "end",
            "end timestamp must not be before start time",
        ));
    }
    let step = parameters.needed_span("step")?;
    if step.0 <= 0 {
        return Err(Failure::of("step", NO_STEP));
    }
    let nanos = (i128::from(end.0) - i128::from(start.0)) * 1_000_000;
    if nanos / i128::from(step.0) > MOST_POINTS {
        return Err(Failure::bad_data(TOO_FINE));
    }
    let step = Duration::from_millis(step.duration().as_millis() as u64);
    let moments = Moments::Range { start, end, step };
    let job = job(asked, moments, limit)?;
    let kind = match job.query.kind() {
        Type::Text => "string",
        Type::Matrix => "range vector",
        Type::Scalar | Type::Vector => return Ok(job),
    };
    Err(Failure::of(
        "query",
        format!(
            "invalid expression type {kind:?} for range query, must be Scalar or instant Vector"
        ),
    ))
}

fn job(asked: &Asked, moments: Moments, limit: usize) -> Result<Job, Failure> {
    let parameters = &asked.parameters;
    let timeout = parameters.given("timeout").map(span).transpose();
    let timeout = timeout.map_err(|said| Failure::of("timeout", said))?;
    let look_back = parameters.given("lookback_delta").map(span).transpose();
    let look_back = look_back.map_err(|said| {
        Failure::bad_data(format!("error parsing lookback delta duration: {said}"))
    })?;
    let text = parameters.first("query");
    let query = Query::parse(text).map_err(|error| Failure::of("query", placed(text, &error)))?;
    Ok(Job {
        query,
        moments,
        limit,
        timeout: timeout.map_or(Duration::MAX, |timeout| timeout.duration()),
        look_back: look_back
            .filter(|span| span.0 > 0)
            .map(|span| span.duration()),
        wants_stats: parameters.given("stats").is_some(),
    })
}

impl Job {
    /// Evaluates it, until `stopped` says that nobody wants to wait any longer. It has `waited` for its turn.
    pub(super) fn evaluate(
        &self,
        store: &Store,
        settings: &Settings,
        stopped: &(dyn Fn() -> bool + Sync),
        waited: Duration,
    ) -> Result<Answer, Failure> {
        if stopped() {
            let message = "query timed out in query execution";
            return Err(Failure::new(Kind::Timeout, message));
        }
        let begun = Instant::now();
        let limits = Limits {
            look_back: self.look_back.unwrap_or(settings.lookback_delta),
            max_samples: usize::try_from(settings.max_samples).unwrap_or(usize::MAX),
            stopped,
            ..Limits::default()
        };
        let evaluated = promql::evaluate(&self.query, store, self.moments, &limits);
        let took = begun.elapsed();
        let Evaluated {
            mut value,
            warnings,
            infos,
        } = evaluated.map_err(|error| failure(&error))?;
        let truncated = match &mut value {
            Value::Scalar(_) | Value::Text(_) => false,
            Value::Vector(elements) => keep(elements, self.limit),
            Value::Matrix(series) => keep(series, self.limit),
        };
        let answer = Answer::written(|out| {
            object(out, |o| {
                write(o, &value, self.moments);
                if self.wants_stats {
                    object(o.key("stats"), |o| stats(o.key("timings"), took, waited));
                }
            });
        });
        let answer = Answer {
            warnings,
            infos,
            ..answer
        };
        Ok(answer.truncated(truncated))
    }
}

fn failure(error: &EvalError) -> Failure {
    let kind = match error {
        EvalError::Failed(_) | EvalError::TooManySamples => Kind::Execution,
        EvalError::Stopped => Kind::Timeout,
    };
    Failure::new(kind, error.to_string())
}

fn write(o: &mut Object, value: &Value, moments: Moments) {
    let at = match moments {
        Moments::At(at) => at,
        Moments::Range { end, .. } => end,
    };
    match value {
        Value::Scalar(value) => {
            o.text("resultType", "scalar");
            single(o.key("result"), at, &format_plain(*value));
        }
        Value::Text(value) => {
            o.text("resultType", "string");
            single(o.key("result"), at, value);
        }
        Value::Vector(elements) => {
            o.text("resultType", "vector");
            array(o.key("result"), elements, |out, element| {
                object(out, |o| {
                    o.labels("metric", &element.labels);
                    point(o.key("value"), at, element.value);
                });
            });
        }
        Value::Matrix(series) => {
            o.text("resultType", "matrix");
            array(o.key("result"), series, series_of);
        }
    }
}

fn series_of(out: &mut String, series: &Series) {
    object(out, |o| {
        o.labels("metric", &series.labels);
        array(o.key("values"), &series.points, |out, (at, value)| {
            point(out, *at, *value);
        });
    });
}

/// A scalar or text at a time, which is written as any other number.
fn single(out: &mut String, at: Timestamp, value: &str) {
    out.push('[');
    number(out, at.seconds());
    out.push(',');
    text(out, value);
    out.push(']');
}

/// What is measured, under the names of Prometheus.
fn stats(out: &mut String, took: Duration, waited: Duration) {
    object(out, |o| {
        o.number("evalTotalTime", took.as_secs_f64());
        o.number("execQueueTime", waited.as_secs_f64());
        o.number("execTotalTime", (took + waited).as_secs_f64());
    });
}

/// `query_exemplars`: there are none, and what is asked must make sense all the same.
pub(super) fn exemplars(asked: &Asked) -> Result<Answer, Failure> {
    let parameters = &asked.parameters;
    let (after, until) = parameters.span()?;
    if until <= after {
        return Err(Failure::bad_data(
            "end timestamp must not be before start timestamp",
        ));
    }
    let text = parameters.first("query");
    Query::parse(text).map_err(|error| Failure::bad_data(placed(text, &error)))?;
    Ok(Answer::written(|out| out.push_str("[]")))
}

/// `format_query`
pub(super) fn format(asked: &Asked) -> Result<Answer, Failure> {
    let written = asked.parameters.first("query");
    let refuse = |error: ParseError| Failure::of("query", placed(written, &error));
    let query = Query::parse(written).map_err(refuse)?;
    Ok(Answer::written(|out| text(out, &query.pretty())))
}
