//! Numbers for the page, read from the store by expressions.

use std::collections::BTreeMap;

use crate::promql::{Element, Query, Value, instant};
use crate::sample::Timestamp;
use crate::store::Store;
use crate::web::words;

/// A number with its name, ready to be read.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    /// What it is.
    pub label: &'static str,
    /// The number in words; `None` when nothing is known.
    pub text: Option<String>,
    /// How much of a limit it takes, from 0 to 1, where there is one.
    pub used: Option<f64>,
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
pub(super) fn facts(
    store: &Store,
    declared: &[Declared],
    label: &str,
    now: Timestamp,
) -> impl Fn(&str) -> Vec<Fact> {
    let read: Vec<_> = declared
        .iter()
        .map(|fact| {
            let limits = fact.limit.map(|limit| values(store, limit, label, now));
            let values = values(store, fact.expression, label, now);
            (
                fact.label,
                fact.unit,
                fact.optional,
                values,
                limits.unwrap_or_default(),
            )
        })
        .collect();
    move |name| {
        let each = read
            .iter()
            .filter_map(|(label, unit, optional, values, limits)| {
                let (value, limit) = (values.get(name), limits.get(name));
                if value.is_none() && *optional {
                    return None;
                }
                let text = value.map(|value| match limit {
                    Some(limit) => format!("{} of {}", unit.write(*value), unit.write(*limit)),
                    None => unit.write(*value),
                });
                let used = value
                    .zip(limit)
                    .map(|(value, limit)| (value / limit).clamp(0.0, 1.0));
                Some(Fact { label, text, used })
            });
        each.collect()
    }
}
