//! What stands under a key: found, expanded from the environment or a file, and complained about.

use super::Section;
use crate::document::reader::Declaration;
use crate::document::value::nearest;
use crate::document::{Key, Node, Place, Problem, Value};

impl<'a> Section<'a> {
    pub(super) fn section_entries(&mut self, key: &str) -> &'a [(Key, Node)] {
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

    pub(super) fn written_or_in_file(&mut self, key: &str) -> Option<(String, Place)> {
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

    pub(super) fn written(&self, key: &str) -> Option<(String, Place)> {
        self.entry(key).and_then(|node| self.expanded(key, node))
    }

    pub(super) fn expanded(&self, key: &str, node: &Node) -> Option<(String, Place)> {
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

    pub(super) fn entries(&self) -> &'a [(Key, Node)] {
        match self.node {
            Some(Node {
                value: Value::Map(entries),
                ..
            }) => entries,
            _ => &[],
        }
    }

    pub(super) fn entry(&self, key: &str) -> Option<&'a Node> {
        let found = self.entries().iter().find(|(known, _)| known.text == key);
        found
            .map(|(_, node)| node)
            .filter(|node| node.value != Value::Null)
    }

    pub(super) fn missing(&self, key: &str, doc: &str) {
        let place = self.place.clone();
        self.complain(&place, key, &format!("`{key}` is missing"), Some(doc));
    }

    pub(super) fn declare(&mut self, key: &str, kind: &str, default: &str, doc: &str) {
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

    pub(super) fn complain(&self, place: &Place, key: &str, message: &str, hint: Option<&str>) {
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

    /// The key path of a key of this section.
    pub fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.into()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    pub(super) fn refuse_unknown(&self) {
        if self.reader.passes_over_unknown {
            return;
        }
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
