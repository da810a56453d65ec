//! What a template computes with, and Go's reading of numbers.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::sample::Labels;

use super::number;

/// A value of a template.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    /// Nothing at all; prints `<no value>`.
    Missing,
    /// `nil`.
    Nil,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// A text.
    Text(String),
    /// Labels: a map of texts.
    Labels(Labels),
    /// What `args` makes of its arguments, by name.
    Arguments(Vec<(String, Value)>),
    /// The result of `query`.
    Samples(Arc<[Sample]>),
    /// One element of it.
    Sample(Sample),
    /// A moment in milliseconds since the epoch.
    Moment(i64),
    /// A span in nanoseconds.
    Span(i64),
    /// The dot a template begins with.
    Root,
}

/// One element of a query's result.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sample {
    pub(super) labels: Labels,
    pub(super) value: f64,
}

impl Value {
    pub(super) fn text(text: impl Into<String>) -> Value {
        Value::Text(text.into())
    }

    /// Whether `if` and `with` take it for true: anything but zero, empty and nothing.
    pub(super) fn truth(&self) -> bool {
        match self {
            Value::Missing | Value::Nil => false,
            Value::Bool(value) => *value,
            Value::Int(value) => *value != 0,
            Value::Float(value) => *value != 0.0,
            Value::Text(text) => !text.is_empty(),
            Value::Labels(labels) => !labels.is_empty(),
            Value::Arguments(arguments) => !arguments.is_empty(),
            Value::Samples(samples) => !samples.is_empty(),
            Value::Span(nanoseconds) => *nanoseconds != 0,
            Value::Sample(_) | Value::Moment(_) | Value::Root => true,
        }
    }

    /// Its type as Go's messages name it.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Value::Missing | Value::Nil => "<nil>",
            Value::Bool(_) => "bool",
            Value::Int(_) => "int",
            Value::Float(_) => "float64",
            Value::Text(_) => "string",
            Value::Labels(_) => "map[string]string",
            Value::Arguments(_) => "map[string]interface {}",
            Value::Samples(_) => "template.queryResult",
            Value::Sample(_) => "template.sample",
            Value::Moment(_) => "time.Time",
            Value::Span(_) => "time.Duration",
            Value::Root => "struct",
        }
    }

    /// As `%v` prints it.
    pub(super) fn show(&self) -> String {
        match self {
            Value::Missing => "<no value>".into(),
            Value::Nil => "<nil>".into(),
            Value::Bool(value) => value.to_string(),
            Value::Int(value) => value.to_string(),
            Value::Float(value) => number::shortest(*value),
            Value::Text(text) => text.clone(),
            Value::Labels(labels) => {
                show_map(labels.iter().map(|(name, value)| (name, value.into())))
            }
            Value::Arguments(arguments) => show_map(
                arguments
                    .iter()
                    .map(|(name, value)| (name.as_str(), value.show())),
            ),
            Value::Samples(samples) => {
                let shown: Vec<String> = samples.iter().map(show_sample).collect();
                format!("[{}]", shown.join(" "))
            }
            Value::Sample(sample) => show_sample(sample),
            Value::Moment(milliseconds) => number::moment(*milliseconds),
            Value::Span(nanoseconds) => number::span(*nanoseconds),
            Value::Root => "{}".into(),
        }
    }

    /// Whether two values are equal, for `eq` and `ne`.
    pub(super) fn equals(&self, other: &Value) -> Result<bool, String> {
        match (self, other) {
            (Value::Bool(one), Value::Bool(two)) => Ok(one == two),
            (Value::Missing | Value::Nil, Value::Missing | Value::Nil) => Ok(true),
            (Value::Missing | Value::Nil, _) | (_, Value::Missing | Value::Nil) => Ok(false),
            _ => self
                .compare(other)
                .map(|order| order == Some(Ordering::Equal)),
        }
    }

    /// The order of two values of one kind; `None` beside a NaN. Go compares no whole number with a float.
    pub(super) fn compare(&self, other: &Value) -> Result<Option<Ordering>, String> {
        match (self, other) {
            (Value::Int(one), Value::Int(two)) => Ok(Some(one.cmp(two))),
            (Value::Float(one), Value::Float(two)) => Ok(one.partial_cmp(two)),
            (Value::Text(one), Value::Text(two)) => Ok(Some(one.cmp(two))),
            (Value::Span(one), Value::Span(two) | Value::Int(two))
            | (Value::Int(one), Value::Span(two)) => Ok(Some(one.cmp(two))),
            (
                Value::Int(_) | Value::Float(_) | Value::Text(_) | Value::Span(_) | Value::Bool(_),
                Value::Int(_) | Value::Float(_) | Value::Text(_) | Value::Span(_) | Value::Bool(_),
            ) => Err("incompatible types for comparison".into()),
            _ => Err("invalid type for comparison".into()),
        }
    }
}

fn show_map<'a>(pairs: impl Iterator<Item = (&'a str, String)>) -> String {
    let shown: Vec<String> = pairs
        .map(|(name, value)| format!("{name}:{value}"))
        .collect();
    format!("map[{}]", shown.join(" "))
}

fn show_sample(sample: &Sample) -> String {
    format!(
        "{{{} {}}}",
        Value::Labels(sample.labels.clone()).show(),
        number::shortest(sample.value)
    )
}

/// Reads a number literal; one with a point or exponent is a float, any other an integer.
pub(super) fn number(text: &str) -> Option<Value> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let plain = digits.replace('_', "");
    let lower = plain.to_ascii_lowercase();
    let radix = [("0x", 16), ("0o", 8), ("0b", 2)];
    let integer = match radix.iter().find(|(prefix, _)| lower.starts_with(prefix)) {
        Some((_, radix)) => Some(i64::from_str_radix(&plain[2..], *radix).ok()?),
        None if plain.len() > 1
            && plain.starts_with('0')
            && plain.bytes().all(|b| b.is_ascii_digit()) =>
        {
            Some(i64::from_str_radix(&plain, 8).ok()?)
        }
        None if plain.bytes().all(|b| b.is_ascii_digit()) => plain.parse().ok(),
        None => None,
    };
    if let Some(integer) = integer {
        return Some(Value::Int(if negative { -integer } else { integer }));
    }
    if !plain
        .bytes()
        .all(|b| b.is_ascii_digit() || b".eE+-".contains(&b))
        || plain.is_empty()
    {
        return None;
    }
    let float: f64 = plain.parse().ok()?;
    Some(Value::Float(if negative { -float } else { float }))
}
