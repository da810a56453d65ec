//! The functions Prometheus adds to Go's.

use std::net::IpAddr;
use std::sync::Arc;

use regex::Regex;

use crate::document::parse_duration;

use super::eval::Input;
use super::humanize::{four, humanize, humanize_1024, humanize_duration};
use super::number::shortest;
use super::value::{Sample, Value};

pub(super) const NAMES: [&str; 29] = [
    "args",
    "externalURL",
    "first",
    "graphLink",
    "humanize",
    "humanize1024",
    "humanizeDuration",
    "humanizePercentage",
    "humanizeTimestamp",
    "label",
    "match",
    "now",
    "parseDuration",
    "pathPrefix",
    "query",
    "reReplaceAll",
    "safeHtml",
    "sortByLabel",
    "stripDomain",
    "stripPort",
    "strvalue",
    "tableLink",
    "title",
    "toDuration",
    "toLower",
    "toTime",
    "toUpper",
    "urlQueryEscape",
    "value",
];

/// Calls a function of Prometheus.
pub(super) fn call(name: &str, arguments: &[Value], input: &Input) -> Result<Value, String> {
    match (name, arguments) {
        ("query", [Value::Text(expression)]) => query(expression, input),
        ("first", [Value::Samples(samples)]) => match samples.first() {
            Some(sample) => Ok(Value::Sample(sample.clone())),
            None => Err("first() called on vector with no elements".into()),
        },
        ("label", [Value::Text(label), Value::Sample(sample)]) => {
            Ok(Value::text(sample.labels.get(label)))
        }
        ("value", [Value::Sample(sample)]) => Ok(Value::Float(sample.value)),
        ("strvalue", [Value::Sample(sample)]) => Ok(Value::text(sample.labels.get("__value__"))),
        ("sortByLabel", [Value::Text(label), Value::Samples(samples)]) => {
            let mut sorted = samples.to_vec();
            sorted.sort_by(|one, two| one.labels.get(label).cmp(two.labels.get(label)));
            Ok(Value::Samples(sorted.into()))
        }
        ("args", values) => {
            let named = values.iter().enumerate();
            Ok(Value::Arguments(
                named
                    .map(|(place, value)| (format!("arg{place}"), value.clone()))
                    .collect(),
            ))
        }
        ("humanize", [value]) => float(value).map(humanize).map(Value::Text),
        ("humanize1024", [value]) => float(value).map(humanize_1024).map(Value::Text),
        ("humanizeDuration", [value]) => float(value).map(humanize_duration).map(Value::Text),
        ("humanizePercentage", [value]) => {
            float(value).map(|v| Value::Text(format!("{}%", four(v * 100.0))))
        }
        ("humanizeTimestamp", [value]) => match float(value)? {
            v if !v.is_finite() => Ok(Value::Text(four(v))),
            v => moment(v).map(|moment| Value::Text(moment.show())),
        },
        ("toTime", [value]) => moment(float(value)?),
        ("toDuration", [value]) => Ok(Value::Span((float(value)? * 1e9) as i64)),
        ("now", []) => Ok(Value::Float(input.at.seconds())),
        ("parseDuration", [Value::Text(text)]) => {
            parse_duration(text).map(|d| Value::Float(d.as_secs_f64()))
        }
        ("title", [Value::Text(text)]) => Ok(Value::Text(title(text))),
        ("toUpper", [Value::Text(text)]) => Ok(Value::Text(text.to_uppercase())),
        ("toLower", [Value::Text(text)]) => Ok(Value::Text(text.to_lowercase())),
        ("stripPort", [Value::Text(text)]) => Ok(Value::text(
            split_port(text).map_or(text.as_str(), |(host, _)| host),
        )),
        ("stripDomain", [Value::Text(text)]) => Ok(Value::Text(strip_domain(text))),
        ("match", [Value::Text(pattern), Value::Text(text)]) => {
            Ok(Value::Bool(regex(pattern)?.is_match(text)))
        }
        ("reReplaceAll", [Value::Text(pattern), Value::Text(by), Value::Text(text)]) => {
            Ok(Value::text(regex(pattern)?.replace_all(text, by.as_str())))
        }
        ("urlQueryEscape", [Value::Text(text)]) => Ok(Value::Text(query_escape(text))),
        ("graphLink", [Value::Text(expression)]) => Ok(link(expression, 0)),
        ("tableLink", [Value::Text(expression)]) => Ok(link(expression, 1)),
        ("externalURL", []) => Ok(Value::text(input.external_url)),
        ("pathPrefix", []) => Ok(Value::text(path_of(input.external_url))),
        ("safeHtml", [Value::Text(text)]) => Ok(Value::text(text.as_str())),
        (_, values) => Err(misused(values)),
    }
}

/// What is said of arguments that a function does not take.
pub(super) fn misused(arguments: &[Value]) -> String {
    let kinds: Vec<&str> = arguments.iter().map(Value::kind).collect();
    format!("it does not take ({})", kinds.join(", "))
}

fn query(expression: &str, input: &Input) -> Result<Value, String> {
    let elements = (input.query)(expression)?;
    let samples = elements
        .into_iter()
        .map(|(labels, value)| Sample { labels, value });
    Ok(Value::Samples(samples.collect::<Arc<[Sample]>>()))
}

fn float(value: &Value) -> Result<f64, String> {
    match value {
        Value::Float(value) => Ok(*value),
        Value::Int(value) => Ok(*value as f64),
        Value::Span(nanoseconds) => Ok(*nanoseconds as f64 / 1e9),
        Value::Text(text) => text
            .parse()
            .map_err(|_| format!("parsing {text:?}: invalid syntax")),
        other => Err(format!("can't convert {} to float", other.kind())),
    }
}

fn moment(seconds: f64) -> Result<Value, String> {
    if !seconds.is_finite() || (seconds * 1e9).abs() >= i64::MAX as f64 {
        let shown = shortest(seconds);
        return Err(format!(
            "{shown} cannot be represented as a nanoseconds timestamp since it overflows int64"
        ));
    }
    Ok(Value::Moment((seconds * 1000.0).floor() as i64))
}

/// Go's `strings.Title`: every letter after a character that belongs to no word.
fn title(text: &str) -> String {
    let mut titled = String::new();
    let mut inside = false;
    for c in text.chars() {
        if inside {
            titled.push(c);
        } else {
            titled.extend(c.to_uppercase());
        }
        inside = c.is_alphanumeric() || c == '_' || (!c.is_ascii() && !c.is_whitespace() && inside);
    }
    titled
}

/// Go's `net.SplitHostPort`; `None` where it would fail.
fn split_port(text: &str) -> Option<(&str, &str)> {
    let (host, port) = text.rsplit_once(':')?;
    match host.strip_prefix('[') {
        Some(bracketed) => Some((bracketed.strip_suffix(']')?, port)),
        None if host.contains([':', '[', ']']) => None,
        None => Some((host, port)),
    }
}

fn strip_domain(text: &str) -> String {
    let (host, port) = split_port(text).unwrap_or((text, ""));
    if host.parse::<IpAddr>().is_ok() {
        return text.into();
    }
    let name = host.split('.').next().unwrap_or_default();
    if port.is_empty() {
        name.into()
    } else {
        format!("{name}:{port}")
    }
}

fn regex(pattern: &str) -> Result<Regex, String> {
    Regex::new(pattern).map_err(|_| format!("error parsing regexp: {pattern:?}"))
}

/// Go's `url.QueryEscape`.
pub(super) fn query_escape(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                escaped.push(char::from(byte))
            }
            b' ' => escaped.push('+'),
            other => escaped.push_str(&format!("%{other:02X}")),
        }
    }
    escaped
}

fn link(expression: &str, tab: u8) -> Value {
    Value::Text(format!(
        "/graph?g0.expr={}&g0.tab={tab}",
        query_escape(expression)
    ))
}

fn path_of(url: &str) -> &str {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = after_scheme
        .find('/')
        .map_or("", |start| &after_scheme[start..]);
    path.split(['?', '#']).next().unwrap_or_default()
}
