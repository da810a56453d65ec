//! One mapping of a document, read key by key. The call that reads a key also declares it: its kind, default and
//! meaning, so that the reference is written from the code that reads. Mistakes are collected, never the first only.

use std::path::PathBuf;
use std::time::Duration;

use super::reader::{Declaration, Reader};
use super::value::{nearest, not_among, parse_bytes, parse_count, parse_flag, parse_share};
use super::{Key, Node, Place, Problem, Secret, Value, parse_duration};

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

    /// A share such as `5%` or `0.05`.
    pub fn share(&mut self, key: &str, default: &str, doc: &str) -> f64 {
        self.parsed(key, "share", default, doc, parse_share)
            .unwrap_or_default()
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
            None => self
                .written(&file_key)
                .map(|(path, _)| Secret::File(path.into())),
        }
    }

    /// A list of texts; a single text is a list of one.
    pub fn texts(&mut self, key: &str, doc: &str) -> Vec<String> {
        self.declare(key, "list of texts", "[]", doc);
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

    /// A section that always exists: when not written, its keys have their defaults.
    pub fn section<T>(&mut self, key: &str, doc: &str, read: impl FnOnce(&mut Section) -> T) -> T {
        self.declare(key, "section", "", doc);
        let node = self.entry(key);
        let place = node.map_or_else(|| self.place.clone(), |node| node.place.clone());
        Section::over(self.reader, node, place, self.path_of(key), read)
    }

    /// A section that need not be there.
    pub fn optional_section<T>(
        &mut self,
        key: &str,
        doc: &str,
        read: impl FnOnce(&mut Section) -> T,
    ) -> Option<T> {
        if self.has(key) || self.reader.describing {
            Some(self.section(key, doc, read))
        } else {
            self.known.push(key.into());
            None
        }
    }

    /// A list of sections.
    pub fn list<T>(
        &mut self,
        key: &str,
        doc: &str,
        mut read: impl FnMut(&mut Section) -> T,
    ) -> Vec<T> {
        self.declare(key, "list of sections", "[]", doc);
        let path = self.path_of(key);
        if self.reader.describing {
            return vec![Section::over(
                self.reader,
                None,
                Place::default(),
                format!("{path}[]"),
                read,
            )];
        }
        let Some(node) = self.entry(key) else {
            return Vec::new();
        };
        let Value::List(items) = &node.value else {
            self.complain(
                &node.place,
                key,
                "must be a list; begin each element with `- `",
                None,
            );
            return Vec::new();
        };
        let each = items.iter().enumerate();
        each.map(|(place, item)| {
            Section::over(
                self.reader,
                Some(item),
                item.place.clone(),
                format!("{path}[{place}]"),
                &mut read,
            )
        })
        .collect()
    }

    /// A mapping whose keys the user chooses, each with a section.
    pub fn map<T>(
        &mut self,
        key: &str,
        doc: &str,
        mut read: impl FnMut(&str, &mut Section) -> T,
    ) -> Vec<(String, T)> {
        self.declare(key, "mapping of sections", "{}", doc);
        let path = self.path_of(key);
        if self.reader.describing {
            let path = format!("{path}.NAME");
            return vec![(
                "NAME".into(),
                Section::over(self.reader, None, Place::default(), path, |s| {
                    read("NAME", s)
                }),
            )];
        }
        let entries = self.section_entries(key);
        let each = entries.iter();
        each.map(|(name, node)| {
            let path = format!("{path}.{}", name.text);
            let value = Section::over(self.reader, Some(node), node.place.clone(), path, |s| {
                read(&name.text, s)
            });
            (name.text.clone(), value)
        })
        .collect()
    }

    /// A mapping of user-chosen keys to texts.
    pub fn pairs(&mut self, key: &str, doc: &str) -> Vec<(String, String)> {
        self.declare(key, "mapping of texts", "{}", doc);
        let entries = self.section_entries(key);
        let each = entries.iter();
        each.filter_map(|(name, node)| Some((name.text.clone(), self.expanded(key, node)?.0)))
            .collect()
    }

    /// Notes a mistake about a key of this section (or, with an empty key, about the section).
    pub fn problem(&self, key: &str, message: impl AsRef<str>, hint: Option<&str>) {
        let place = self
            .entry(key)
            .map_or_else(|| self.place.clone(), |node| node.place.clone());
        self.complain(&place, key, message.as_ref(), hint);
    }

    fn section_entries(&mut self, key: &str) -> &'a [(Key, Node)] {
        match self.entry(key) {
            Some(Node {
                value: Value::Map(entries),
                ..
            }) => entries,
            Some(node) => {
                self.complain(
                    &node.place,
                    key,
                    "must be a mapping of keys to values",
                    None,
                );
                &[]
            }
            None => &[],
        }
    }

    fn written_or_in_file(&mut self, key: &str) -> Option<(String, Place)> {
        if let Some(found) = self.written(key) {
            return Some(found);
        }
        self.reader.environment?;
        let file_key = format!("{key}_file");
        let (path, place) = self.written(&file_key)?;
        self.known.push(file_key.clone());
        match std::fs::read_to_string(&path) {
            Ok(text) => Some((text.trim_end().to_owned(), place)),
            Err(error) => {
                self.complain(
                    &place,
                    &file_key,
                    &format!("cannot read `{path}`: {error}"),
                    None,
                );
                None
            }
        }
    }

    fn written(&self, key: &str) -> Option<(String, Place)> {
        self.entry(key).and_then(|node| self.expanded(key, node))
    }

    fn expanded(&self, key: &str, node: &Node) -> Option<(String, Place)> {
        let Value::Scalar(text) = &node.value else {
            self.complain(&node.place, key, "must be a single value", None);
            return None;
        };
        let Some(environment) = self.reader.environment else {
            return Some((text.clone(), node.place.clone()));
        };
        let (mut result, mut rest) = (String::new(), text.as_str());
        while let Some(start) = rest.find("${") {
            let Some(length) = rest[start..].find('}') else {
                break;
            };
            let name = &rest[start + 2..start + length];
            result.push_str(&rest[..start]);
            match environment(name) {
                Some(value) => result.push_str(&value),
                None => {
                    let hint = "set it, or write the value here";
                    self.complain(
                        &node.place,
                        key,
                        &format!("environment variable `{name}` is not set"),
                        Some(hint),
                    );
                }
            }
            rest = &rest[start + length + 1..];
        }
        result.push_str(rest);
        Some((result, node.place.clone()))
    }

    fn entries(&self) -> &'a [(Key, Node)] {
        match self.node {
            Some(Node {
                value: Value::Map(entries),
                ..
            }) => entries,
            _ => &[],
        }
    }

    fn entry(&self, key: &str) -> Option<&'a Node> {
        let found = self.entries().iter().find(|(known, _)| known.text == key);
        found
            .map(|(_, node)| node)
            .filter(|node| node.value != Value::Null)
    }

    fn missing(&self, key: &str, doc: &str) {
        let place = self.place.clone();
        self.complain(&place, key, &format!("`{key}` is missing"), Some(doc));
    }

    fn declare(&mut self, key: &str, kind: &str, default: &str, doc: &str) {
        self.known.push(key.into());
        if self.reader.describing {
            let path = self.path_of(key);
            let (kind, default, doc) = (kind.into(), default.into(), doc.into());
            self.reader.declarations.borrow_mut().push(Declaration {
                path,
                kind,
                default,
                doc,
            });
        }
    }

    fn complain(&self, place: &Place, key: &str, message: &str, hint: Option<&str>) {
        let path = if key.is_empty() {
            self.path.clone()
        } else {
            self.path_of(key)
        };
        let hint = hint.map(str::to_owned);
        self.reader.report(Problem {
            place: place.clone(),
            path,
            message: message.into(),
            hint,
        });
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.into()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    fn refuse_unknown(&self) {
        for (key, _) in self.entries() {
            if !self.known.contains(&key.text) {
                let known: Vec<&str> = self.known.iter().map(String::as_str).collect();
                let hint = nearest(&key.text, &known).map(|near| format!("did you mean `{near}`?"));
                let path = self.path_of(&key.text);
                let place = key.place.clone();
                self.reader.report(Problem {
                    place,
                    path,
                    message: "unknown key".into(),
                    hint,
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    fn check(text: &str, read: impl FnOnce(&mut Section)) -> Vec<String> {
        let environment = |name: &str| (name == "HOME_TOWN").then(|| "Bern".to_owned());
        let reader = Reader::new(Some(&environment));
        let root = parse("x.yml", text).unwrap();
        reader.read(&root, read);
        reader.problems().iter().map(Problem::to_string).collect()
    }

    #[test]
    fn every_mistake_is_found_in_one_run() {
        let complaints = check("intervall: 5s\ntimeout: soon\nname: ${NOBODY}\n", |s| {
            s.duration("interval", "15s", "");
            s.duration("timeout", "5s", "");
            s.text("name", "", "");
        });
        assert_eq!(
            complaints,
            [
                "x.yml:1:1: intervall: unknown key\n  hint: did you mean `interval`?",
                "x.yml:2:10: timeout: `soon` is no duration; write a number and a unit, such as `15s`, `5m`, `1d` or `1h30m`",
                "x.yml:3:7: name: environment variable `NOBODY` is not set\n  hint: set it, or write the value here",
            ]
        );
    }

    #[test]
    fn nested_keys_name_their_path() {
        let complaints = check("servers:\n  - {url: x}\n  - {nam: y}\n", |s| {
            s.list("servers", "", |s| {
                s.required_text("url", "a connection string")
            });
        });
        assert_eq!(
            complaints,
            [
                "x.yml:3:5: servers[1].url: `url` is missing\n  hint: a connection string",
                "x.yml:3:6: servers[1].nam: unknown key",
            ]
        );
    }

    #[test]
    fn values_are_expanded_and_defaulted() {
        let complaints = check("town: from ${HOME_TOWN}!\nload: 5%\nroom: 32MiB\n", |s| {
            assert_eq!(s.text("town", "", ""), "from Bern!");
            assert_eq!(s.share("load", "1%", ""), 0.05);
            assert_eq!(s.bytes("room", "1kB", ""), 32 << 20);
            assert_eq!(s.duration("interval", "15s", ""), Duration::from_secs(15));
        });
        assert!(complaints.is_empty(), "{complaints:?}");
    }

    #[test]
    fn reading_declares() {
        let declared = Reader::describe(|s| {
            s.list("servers", "What to watch.", |s| {
                s.secret("password", "Its password.")
            });
        });
        let paths: Vec<&str> = declared
            .iter()
            .map(|declaration| declaration.path.as_str())
            .collect();
        assert_eq!(paths, ["servers", "servers[].password"]);
    }
}
