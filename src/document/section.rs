//! One mapping of a document, read key by key. The call that reads a key also declares it: its kind, default and
//! meaning, so that the reference is written from the code that reads. Mistakes are collected, never the first only.

mod entry;
mod nested;

use std::path::PathBuf;
use std::time::Duration;

use super::reader::Reader;
use super::value::{not_among, parse_bytes, parse_count, parse_flag, parse_share};
use super::{Node, Outside, Place, Problem, Secret, Thing, Value, parse_duration};

/// A mapping being read; see the module's head.
pub struct Section<'a> {
    reader: &'a Reader<'a>,
    node: Option<&'a Node>,
    place: Place,
    path: String,
    known: Vec<String>,
}

impl<'a> Section<'a> {
    pub(super) fn over<T>(
        reader: &'a Reader<'a>,
        node: Option<&'a Node>,
        place: Place,
        path: String,
        read: impl FnOnce(&mut Section) -> T,
    ) -> T {
        let mut section = Section {
            reader,
            node,
            place,
            path,
            known: Vec::new(),
        };
        if let Some(Node {
            value: Value::Scalar(_) | Value::List(_),
            place,
            ..
        }) = node
        {
            let place = place.clone();
            section.complain(&place, "", "must be a mapping of keys to values", None);
            section.node = None;
        }
        let result = read(&mut section);
        section.refuse_unknown();
        result
    }

    /// Where this mapping begins.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Whether the key is written and not null.
    pub fn has(&self, key: &str) -> bool {
        self.entry(key).is_some()
    }

    /// The keys that are written, in the order of the file.
    pub fn keys(&self) -> Vec<String> {
        self.entries()
            .iter()
            .map(|(key, _)| key.text.clone())
            .collect()
    }

    /// The raw node of a key, for values with a shape of their own.
    pub fn node(&mut self, key: &str, kind: &str, doc: &str) -> Option<&'a Node> {
        self.declare(key, kind, "", doc);
        self.entry(key)
    }

    /// Text with a default.
    pub fn text(&mut self, key: &str, default: &str, doc: &str) -> String {
        self.parsed(key, "text", default, doc, |text| Ok(text.to_owned()))
            .unwrap_or_default()
    }

    /// Text that need not be there.
    pub fn optional_text(&mut self, key: &str, doc: &str) -> Option<String> {
        self.parsed(key, "text", "", doc, |text| Ok(text.to_owned()))
            .filter(|text| !text.is_empty())
    }

    /// Text that must be there; empty, with a problem, when it is not.
    pub fn required_text(&mut self, key: &str, doc: &str) -> String {
        let text = self.optional_text(key, doc);
        if text.is_none() {
            self.missing(key, doc);
        }
        text.unwrap_or_default()
    }

    /// A Prometheus duration such as `15s`.
    pub fn duration(&mut self, key: &str, default: &str, doc: &str) -> Duration {
        self.parsed(key, "duration", default, doc, parse_duration)
            .unwrap_or_default()
    }

    /// A Prometheus duration that need not be there.
    pub fn optional_duration(&mut self, key: &str, doc: &str) -> Option<Duration> {
        self.parsed(key, "duration", "", doc, parse_duration)
    }

    /// Reports an interval under a second: what is watched would mostly feel the watching.
    pub fn refuse_hasty(&self, key: &str, interval: Option<Duration>) {
        if interval.is_some_and(|interval| interval < Duration::from_secs(1)) {
            self.problem(key, "is shorter than a second", Some("write `1s` or more"));
        }
    }

    /// A whole number.
    pub fn count(&mut self, key: &str, default: &str, doc: &str) -> u64 {
        self.parsed(key, "whole number", default, doc, parse_count)
            .unwrap_or_default()
    }

    /// Any number that need not be there.
    pub fn optional_number(&mut self, key: &str, doc: &str) -> Option<f64> {
        self.parsed(key, "number", "", doc, |text| {
            text.parse::<f64>()
                .map_err(|_| format!("`{text}` is no number"))
        })
    }

    /// `true` or `false`, or neither.
    pub fn optional_flag(&mut self, key: &str, doc: &str) -> Option<bool> {
        self.parsed(key, "true or false", "", doc, parse_flag)
    }

    /// `true` or `false`.
    pub fn flag(&mut self, key: &str, default: bool, doc: &str) -> bool {
        let default = if default { "true" } else { "false" };
        self.parsed(key, "true or false", default, doc, parse_flag)
            .unwrap_or_default()
    }

    /// A size such as `32MiB`, in bytes.
    pub fn bytes(&mut self, key: &str, default: &str, doc: &str) -> u64 {
        self.parsed(key, "size", default, doc, parse_bytes)
            .unwrap_or_default()
    }

    /// A size in bytes that need not be there.
    pub fn optional_bytes(&mut self, key: &str, doc: &str) -> Option<u64> {
        self.parsed(key, "size", "", doc, parse_bytes)
    }

    /// A share such as `5%` or `0.05`.
    pub fn share(&mut self, key: &str, default: &str, doc: &str) -> f64 {
        self.parsed(key, "share", default, doc, parse_share)
            .unwrap_or_default()
    }

    /// A share, or `off` (as well as `0`) for `None`.
    pub fn share_or_off(&mut self, key: &str, default: &str, doc: &str) -> Option<f64> {
        let read = self.parsed(key, "share or off", default, doc, |text| match text {
            "off" => Ok(0.0),
            text => parse_share(text),
        });
        read.filter(|share| *share > 0.0)
    }

    /// One of the words given.
    pub fn choice(&mut self, key: &str, words: &[&str], default: &str, doc: &str) -> String {
        self.parsed(key, &words.join(" or "), default, doc, |text| {
            if words.contains(&text) {
                Ok(text.to_owned())
            } else {
                Err(not_among(text, words))
            }
        })
        .unwrap_or_default()
    }

    /// A path that need not be there.
    pub fn optional_path(&mut self, key: &str, doc: &str) -> Option<PathBuf> {
        self.parsed(key, "path", "", doc, |text| Ok(PathBuf::from(text)))
    }

    /// A value that is never shown; `KEY_file` may name a file to read it from, again whenever it changes.
    pub fn secret(&mut self, key: &str, doc: &str) -> Option<Secret> {
        let file_key = format!("{key}_file");
        self.known.push(file_key.clone());
        self.declare(key, "secret", "", doc);
        match self.written(key) {
            Some((value, _)) => Some(Secret::Value(value)),
            None => {
                let (file, _) = self.written(&file_key)?;
                self.names(&file_key, Thing::Secret(file.clone().into()));
                Some(Secret::File(file.into()))
            }
        }
    }

    /// Notes that a key names something which the system must have.
    pub fn names(&self, key: &str, thing: Thing) {
        let written = self.entry(key).map(|node| node.place.clone());
        self.reader.outside.borrow_mut().push(Outside {
            place: written.unwrap_or_else(|| self.place.clone()),
            path: self.path_of(key),
            thing,
        });
    }

    /// A list of texts; a single text is a list of one.
    pub fn texts(&mut self, key: &str, doc: &str) -> Vec<String> {
        self.listed(key, "list of texts", doc)
    }

    /// A list of values that are never shown; a single one is a list of one.
    pub fn secret_texts(&mut self, key: &str, doc: &str) -> Vec<String> {
        self.listed(key, "list of secrets", doc)
    }

    fn listed(&mut self, key: &str, kind: &str, doc: &str) -> Vec<String> {
        self.declare(key, kind, "[]", doc);
        let Some(node) = self.entry(key) else {
            return Vec::new();
        };
        let items = match &node.value {
            Value::List(items) => items.iter().collect(),
            _ => vec![node],
        };
        items
            .into_iter()
            .filter_map(|item| self.expanded(key, item))
            .map(|(text, _)| text)
            .collect()
    }

    /// A value of any kind, read by `parse`, whose error is shown to the user. `None` when neither written nor
    /// defaulted, or wrong (then a problem is noted).
    pub fn parsed<T>(
        &mut self,
        key: &str,
        kind: &str,
        default: &str,
        doc: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        self.declare(key, kind, default, doc);
        let fallback = || {
            if default.is_empty() {
                None
            } else {
                parse(default).ok()
            }
        };
        let Some((text, place)) = self.written_or_in_file(key) else {
            return fallback();
        };
        match parse(&text) {
            Ok(value) => Some(value),
            Err(message) => {
                self.complain(&place, key, &message, None);
                fallback()
            }
        }
    }

    /// Notes a mistake about a key of this section (or, with an empty key, about the section).
    pub fn problem(&self, key: &str, message: impl AsRef<str>, hint: Option<&str>) {
        let place = self
            .entry(key)
            .map_or_else(|| self.place.clone(), |node| node.place.clone());
        self.complain(&place, key, message.as_ref(), hint);
    }

    /// Notes a mistake about a key of an element of a list, which shows only when all of the list is read.
    pub fn problem_of(
        &self,
        (list, element, key): (&str, usize, &str),
        message: String,
        hint: &str,
    ) {
        let Some(node) = self.node else { return };
        let (place, path) = node.spot(list, element, key);
        self.reader.report(Problem {
            place,
            path,
            message,
            hint: Some(hint.into()),
        });
    }
}

#[cfg(test)]
mod tests;
