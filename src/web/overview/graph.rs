//! What an expression gives: now, and over the last hour. It is where the links of alerts lead (A5).

use std::time::{Duration, Instant};

use super::trends::{Trend, course};
use super::{Edition, View};
use crate::promql::{Limits, Moments, Query, Value, evaluate};
use crate::sample::Labels;
use crate::web::words;

const HOUR: Duration = Duration::from_secs(3_600);

/// More series than this are counted, not shown.
const MOST: usize = 50;

/// Whoever follows a link waits no longer, and the page holds no more samples.
const PATIENCE: Duration = Duration::from_secs(5);
const SAMPLES: usize = 2_000_000;

/// An expression and what it gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Graph {
    /// When it was looked at, and by whom.
    pub edition: Edition,
    /// As it was asked for.
    pub expression: String,
    /// What its outermost comparison compares, else the whole: by series; or why there is nothing.
    pub courses: Result<Vec<Course>, String>,
    /// Series that are not shown.
    pub more: usize,
}

/// One series.
#[derive(Debug, Clone, PartialEq)]
pub struct Course {
    /// Its labels as PromQL writes them.
    pub labels: String,
    /// Its last value.
    pub value: String,
    /// How it came to that; `None` where there are fewer than two points.
    pub trend: Option<Trend>,
}

pub(super) fn graph(view: &View, expression: &str, edition: Edition) -> Graph {
    let courses = read(view, expression, edition);
    let found = courses.as_ref().map_or(0, Vec::len);
    Graph {
        edition,
        expression: expression.to_owned(),
        courses: courses.map(|mut courses| {
            courses.truncate(MOST);
            courses
        }),
        more: found.saturating_sub(MOST),
    }
}

fn read(view: &View, expression: &str, edition: Edition) -> Result<Vec<Course>, String> {
    let query = Query::parse(expression).map_err(|error| error.to_string())?;
    // An alert's expression gives nothing while it does not fire; what it compares does.
    let query = query.compared().unwrap_or(query);
    let begun = Instant::now();
    let limits = Limits {
        max_samples: SAMPLES,
        stopped: &|| begun.elapsed() > PATIENCE,
        ..Limits::default()
    };
    let (start, step) = (edition.now.before(HOUR), HOUR / 60);
    let moments = Moments::Range {
        start,
        end: edition.now,
        step,
    };
    let answer =
        evaluate(&query, &view.store, moments, &limits).map_err(|error| error.to_string())?;
    let Value::Matrix(series) = answer.value else {
        return Err("this expression is a text, which has no course".into());
    };
    let each = series.into_iter().map(|series| Course {
        labels: written(&series.labels),
        value: series
            .points
            .last()
            .map_or_else(String::new, |(_, value)| words::number(*value)),
        trend: course(&series.points, start, HOUR, words::number),
    });
    Ok(each.collect())
}

fn written(labels: &Labels) -> String {
    match labels.iter().next() {
        Some(_) => labels.to_string(),
        None => String::new(),
    }
}
