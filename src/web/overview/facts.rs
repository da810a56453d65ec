//! Numbers for the page, read from the store by expressions.

use std::collections::BTreeMap;
use std::time::Duration;

use super::trends::{Trend, trends};
use crate::promql::{Element, Query, Value, instant};
use crate::sample::Timestamp;
use crate::store::Store;
use crate::web::words;

/// A number with its name, ready to be read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Fact {
    /// What it is.
    pub label: &'static str,
    /// The number in words; `None` when nothing is known.
    pub text: Option<String>,
    /// How much of a limit it takes, from 0 to 1, where there is one.
    pub used: Option<f64>,
    /// How it came to this, where that is worth a look and known.
    pub trend: Option<Trend>,
}

/// Which number, from where, in which unit.
pub(super) struct Declared {
    pub(super) label: &'static str,
    /// Must keep the label by which the page is divided: one element for each of its values.
    pub(super) expression: &'static str,
    pub(super) unit: Unit,
    /// The expression of the limit it is measured against.
    pub(super) limit: Option<&'static str>,
    /// Left out where nothing is known of it, rather than shown as unknown.
    pub(super) optional: bool,
    /// Whether its course is shown too.
    pub(super) trend: bool,
}

impl Declared {
    /// A number that is always shown, and nothing beside it.
    pub(super) const fn number(label: &'static str, unit: Unit, expression: &'static str) -> Self {
        Declared {
            label,
            expression,
            unit,
            limit: None,
            optional: false,
            trend: false,
        }
    }

    /// The same, left out where nothing is known of it.
    pub(super) const fn optional(self) -> Self {
        Declared {
            optional: true,
            ..self
        }
    }

    /// The same, with its course.
    pub(super) const fn with_trend(self) -> Self {
        Declared {
            trend: true,
            ..self
        }
    }

    /// The same, measured against a limit.
    pub(super) const fn of(self, limit: &'static str) -> Self {
        Declared {
            limit: Some(limit),
            ..self
        }
    }
}

/// What a number counts.
#[derive(Clone, Copy)]
pub(super) enum Unit {
    Count,
    PerSecond,
    Bytes,
    Seconds,
    /// Seconds since something happened.
    Ago,
    Share,
    /// 1 for what runs, 0 for what does not.
    Running,
    /// 1 for what is switched off.
    SwitchedOff,
}

impl Unit {
    pub(super) fn write(self, value: f64) -> String {
        match self {
            Unit::Count => words::number(value),
            Unit::PerSecond => format!("{}/s", words::number(value)),
            Unit::Bytes => words::bytes(value),
            Unit::Seconds => words::seconds(value),
            Unit::Ago => format!("{} ago", words::seconds(value)),
            Unit::Share => words::share(value),
            Unit::Running if value == 1.0 => "running".into(),
            Unit::Running => "not running".into(),
            Unit::SwitchedOff => "switched off".into(),
        }
    }
}

/// What an expression gives now; nothing when nothing is known, and no value that is no number.
pub(super) fn elements(store: &Store, expression: &str, now: Timestamp) -> Vec<Element> {
    let query = Query::parse(expression).ok();
    match query.and_then(|query| instant(&query, store, now).ok()) {
        Some(Value::Vector(mut elements)) => {
            elements.retain(|element| !element.value.is_nan());
            elements
        }
        _ => Vec::new(),
    }
}

/// The value of an expression for each value of one label.
pub(super) fn values(
    store: &Store,
    expression: &str,
    label: &str,
    now: Timestamp,
) -> BTreeMap<String, f64> {
    let elements = elements(store, expression, now);
    let each = elements.iter();
    each.map(|element| (element.labels.get(label).to_owned(), element.value))
        .collect()
}

/// All declared numbers for each value of one label.
pub(super) fn facts<'d>(
    store: &Store,
    declared: &'d [Declared],
    label: &str,
    span: Duration,
    now: Timestamp,
) -> impl Fn(&str) -> Vec<Fact> + use<'d> {
    let read: Vec<_> = declared
        .iter()
        .map(|fact| {
            let limits = fact.limit.map(|limit| values(store, limit, label, now));
            let courses = fact.trend.then(|| trends(store, fact, label, span, now));
            let values = values(store, fact.expression, label, now);
            (
                fact,
                values,
                limits.unwrap_or_default(),
                courses.unwrap_or_default(),
            )
        })
        .collect();
    move |name| {
        let each = read
            .iter()
            .filter_map(|(declared, values, limits, courses)| {
                let (value, limit) = (values.get(name), limits.get(name));
                if value.is_none() && declared.optional {
                    return None;
                }
                let unit = declared.unit;
                let text = value.map(|value| match limit {
                    Some(limit) => format!("{} of {}", unit.write(*value), unit.write(*limit)),
                    None => unit.write(*value),
                });
                let used = value
                    .zip(limit)
                    .map(|(value, limit)| (value / limit).clamp(0.0, 1.0));
                Some(Fact {
                    label: declared.label,
                    text,
                    used,
                    trend: courses.get(name).cloned(),
                })
            });
        each.collect()
    }
}
