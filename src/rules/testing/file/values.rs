//! Single values of a file of tests.

use std::collections::BTreeMap;

use crate::document::{Node, Place, Section, Value, parse_number};
use crate::sample::Timestamp;

/// A number that is not written in quotes, for those are texts.
pub(super) fn number(s: &mut Section, key: &str, doc: &str) -> f64 {
    let Some(node) = s.node(key, "number", doc) else {
        return 0.0;
    };
    let value = match &node.value {
        Value::Scalar(text) if !node.quoted => parse_number(text),
        _ => None,
    };
    value.unwrap_or_else(|| {
        s.problem(
            key,
            "is no number",
            Some("write `3`, `0.5`, `1e3`, `.inf` or `.nan`, without quotes"),
        );
        0.0
    })
}

/// `true` or another of YAML's words for it, which are no texts.
pub(super) fn flag(s: &mut Section, key: &str, doc: &str) -> bool {
    let Some(node) = s.node(key, "true or false", doc) else {
        return false;
    };
    let word = match &node.value {
        Value::Scalar(text) if !node.quoted => text.to_lowercase(),
        _ => String::new(),
    };
    let yes = ["true", "yes", "on", "y"].contains(&word.as_str());
    if !yes && !["false", "no", "off", "n"].contains(&word.as_str()) {
        s.problem(key, "is neither `true` nor `false`", None);
    }
    yes
}

/// Names and texts; nothing is the empty text.
pub(super) fn texts(s: &mut Section, key: &str, doc: &str) -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    let Some(node) = s.node(key, "mapping of texts", doc) else {
        return texts;
    };
    let Value::Map(entries) = &node.value else {
        s.problem(key, "must be a mapping of names to texts", None);
        return texts;
    };
    for (name, Node { value, .. }) in entries {
        match value {
            Value::Scalar(text) => texts.insert(name.text.clone(), text.clone()),
            Value::Null => texts.insert(name.text.clone(), String::new()),
            Value::List(_) | Value::Map(_) => {
                s.problem(key, format!("`{}` must be a single text", name.text), None);
                None
            }
        };
    }
    texts
}

pub(super) fn placed_texts(s: &mut Section, key: &str, doc: &str) -> Vec<(String, Place)> {
    let Some(node) = s.node(key, "list of texts", doc) else {
        return Vec::new();
    };
    let Value::List(items) = &node.value else {
        s.problem(
            key,
            "must be a list of texts",
            Some("write it in brackets, as in `[one, two]`"),
        );
        return Vec::new();
    };
    let mut texts = Vec::new();
    for item in items {
        match &item.value {
            Value::Scalar(text) => texts.push((text.clone(), item.place.clone())),
            _ => s.problem(key, "each must be a single text", None),
        }
    }
    texts
}

/// Seconds since the epoch, or a moment as RFC 3339 writes it.
pub(super) fn moment(text: &str) -> Result<Timestamp, String> {
    if let Ok(seconds) = text.parse::<f64>() {
        return Ok(Timestamp::from_seconds(seconds));
    }
    let moment = text.parse::<jiff::Timestamp>().map_err(|_| {
        format!("`{text}` is no moment; write seconds since 1970, or a text such as `2026-01-31T12:00:00Z`")
    })?;
    Ok(Timestamp(moment.as_millisecond()))
}
