//! Sections inside of sections: single, in lists, and under keys that the user chooses.

use super::Section;
use crate::document::{Node, Place, Value};

impl Section<'_> {
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
        let counted = |item: &&Node| !self.reader.leaves_out_nothing || item.value != Value::Null;
        let each = items.iter().filter(counted).enumerate();
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

    /// A mapping of user-chosen keys to values that are never shown.
    pub fn secrets(&mut self, key: &str, doc: &str) -> Vec<(String, String)> {
        self.texts_by_name(key, "mapping of secrets", doc)
    }

    /// A mapping of user-chosen keys to texts.
    pub fn pairs(&mut self, key: &str, doc: &str) -> Vec<(String, String)> {
        self.texts_by_name(key, "mapping of texts", doc)
    }

    fn texts_by_name(&mut self, key: &str, kind: &str, doc: &str) -> Vec<(String, String)> {
        self.declare(key, kind, "{}", doc);
        let entries = self.section_entries(key);
        let each = entries.iter();
        each.filter_map(|(name, node)| Some((name.text.clone(), self.expanded(key, node)?.0)))
            .collect()
    }
}
