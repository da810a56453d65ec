//! The functions Go brings along, and the door to those of Prometheus.

use super::eval::Input;
use super::printf::{print, printf, println};
use super::prometheus;
use super::value::Value;

const BUILT_IN: [&str; 19] = [
    "and", "call", "eq", "ge", "gt", "html", "index", "js", "le", "len", "lt", "ne", "not", "or",
    "print", "printf", "println", "slice", "urlquery",
];

/// Whether a template may call a function of this name.
pub(super) fn exists(name: &str) -> bool {
    BUILT_IN.contains(&name) || prometheus::NAMES.contains(&name)
}

/// Calls a function. `and` and `or` are not called: they need not evaluate all of their arguments.
pub(super) fn call(name: &str, arguments: &[Value], input: &Input) -> Result<Value, String> {
    let result = match (name, arguments) {
        ("not", [value]) => Ok(Value::Bool(!value.truth())),
        ("eq", [first, others @ ..]) if !others.is_empty() => any_equal(first, others),
        ("ne", [one, two]) => one.equals(two).map(|equal| Value::Bool(!equal)),
        ("lt", [one, two]) => ordered(one, two, std::cmp::Ordering::is_lt),
        ("le", [one, two]) => ordered(one, two, std::cmp::Ordering::is_le),
        ("gt", [one, two]) => ordered(one, two, std::cmp::Ordering::is_gt),
        ("ge", [one, two]) => ordered(one, two, std::cmp::Ordering::is_ge),
        ("print", values) => Ok(Value::Text(print(values))),
        ("println", values) => Ok(Value::Text(println(values))),
        ("printf", [Value::Text(format), values @ ..]) => Ok(Value::Text(printf(format, values))),
        ("len", [value]) => length(value).map(|length| Value::Int(length as i64)),
        ("index", [value, keys @ ..]) => keys
            .iter()
            .try_fold(value.clone(), |value, key| index(&value, key)),
        ("slice", [value, bounds @ ..]) if bounds.len() <= 3 => slice(value, bounds),
        ("html", values) => Ok(Value::Text(html(&print(values)))),
        ("js", values) => Ok(Value::Text(js(&print(values)))),
        ("urlquery", values) => Ok(Value::Text(prometheus::query_escape(&print(values)))),
        ("call", [value, ..]) => Err(format!("non-function of type {}", value.kind())),
        (name, values) if BUILT_IN.contains(&name) => Err(prometheus::misused(values)),
        (name, values) => prometheus::call(name, values, input),
    };
    result.map_err(|cause| format!("error calling {name}: {cause}"))
}

fn any_equal(first: &Value, others: &[Value]) -> Result<Value, String> {
    for other in others {
        if first.equals(other)? {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

fn ordered(
    one: &Value,
    two: &Value,
    holds: fn(std::cmp::Ordering) -> bool,
) -> Result<Value, String> {
    match (one, two) {
        (Value::Bool(_), Value::Bool(_)) => Err("invalid type for comparison".into()),
        _ => one
            .compare(two)
            .map(|order| Value::Bool(order.is_some_and(holds))),
    }
}

fn length(value: &Value) -> Result<usize, String> {
    match value {
        Value::Text(text) => Ok(text.len()),
        Value::Labels(labels) => Ok(labels.len()),
        Value::Arguments(arguments) => Ok(arguments.len()),
        Value::Samples(samples) => Ok(samples.len()),
        other => Err(format!("len of type {}", other.kind())),
    }
}

fn index(value: &Value, key: &Value) -> Result<Value, String> {
    match (value, key) {
        (Value::Labels(labels), Value::Text(name)) => Ok(Value::text(labels.get(name))),
        (Value::Arguments(arguments), Value::Text(name)) => {
            let found = arguments.iter().find(|(known, _)| known == name);
            Ok(found.map_or(Value::Missing, |(_, value)| value.clone()))
        }
        (Value::Samples(samples), Value::Int(place)) => {
            let found = usize::try_from(*place)
                .ok()
                .and_then(|place| samples.get(place));
            found
                .cloned()
                .map(Value::Sample)
                .ok_or_else(|| format!("index out of range: {place}"))
        }
        (Value::Text(text), Value::Int(place)) => {
            let found = usize::try_from(*place)
                .ok()
                .and_then(|place| text.as_bytes().get(place));
            found
                .map(|byte| Value::Int(i64::from(*byte)))
                .ok_or_else(|| format!("index out of range: {place}"))
        }
        (Value::Missing | Value::Nil, _) => Err("index of untyped nil".into()),
        (Value::Labels(_) | Value::Arguments(_) | Value::Samples(_) | Value::Text(_), key) => {
            Err(format!("cannot index with type {}", key.kind()))
        }
        (other, _) => Err(format!("can't index item of type {}", other.kind())),
    }
}

fn slice(value: &Value, bounds: &[Value]) -> Result<Value, String> {
    let length = length(value).map_err(|_| format!("can't slice item of type {}", value.kind()))?;
    let bound = |place: usize, default: usize| match bounds.get(place) {
        None => Ok(default),
        Some(Value::Int(bound)) => usize::try_from(*bound)
            .ok()
            .filter(|bound| *bound <= length)
            .ok_or_else(|| format!("index out of range: {bound}")),
        Some(other) => Err(format!(
            "cannot index slice/array with type {}",
            other.kind()
        )),
    };
    let (start, end) = (bound(0, 0)?, bound(1, length)?);
    if start > end {
        return Err(format!("invalid slice index: {start} > {end}"));
    }
    match value {
        Value::Text(_) if bounds.len() == 3 => Err("cannot 3-index slice a string".into()),
        Value::Text(text) => Ok(Value::Text(
            String::from_utf8_lossy(&text.as_bytes()[start..end]).into(),
        )),
        Value::Samples(samples) => Ok(Value::Samples(samples[start..end].into())),
        other => Err(format!("can't slice item of type {}", other.kind())),
    }
}

fn html(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '\0' => escaped.push('\u{fffd}'),
            '"' => escaped.push_str("&#34;"),
            '\'' => escaped.push_str("&#39;"),
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            c => escaped.push(c),
        }
    }
    escaped
}

fn js(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '\\' => escaped.push_str("\\\\"),
            '\'' => escaped.push_str("\\'"),
            '"' => escaped.push_str("\\\""),
            '<' | '>' | '&' | '=' => escaped.push_str(&format!("\\u{:04X}", u32::from(c))),
            c if u32::from(c) < 0x20 => escaped.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => escaped.push(c),
        }
    }
    escaped
}
