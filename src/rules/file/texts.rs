//! Labels and annotations of a rule: texts by name, and the templates they become.

use std::collections::BTreeMap;

use crate::document::{Node, Place, Section, Value};
use crate::rules::Template;

use super::Reading;

/// Texts by name, each with its place.
pub(super) type Texts = BTreeMap<String, (String, Place)>;

impl Reading<'_, '_> {
    /// A mapping of names to texts; nothing is the empty text, as in Prometheus.
    pub(super) fn texts(&self, s: &mut Section, key: &str) -> Texts {
        let mut texts = BTreeMap::new();
        let Some(node) = s.node(key, "mapping of texts", "Names and texts.") else {
            return texts;
        };
        let Value::Map(entries) = &node.value else {
            s.problem(key, "must be a mapping of names to texts", None);
            return texts;
        };
        for (name, Node { place, value, .. }) in entries {
            match value {
                Value::Scalar(text) => {
                    texts.insert(name.text.clone(), (text.clone(), place.clone()));
                }
                Value::Null => {
                    texts.insert(name.text.clone(), (String::new(), place.clone()));
                }
                Value::List(_) | Value::Map(_) => {
                    self.complain(place, format!("`{}` must be a single text", name.text))
                }
            }
        }
        texts
    }

    pub(super) fn label_templates(
        &self,
        texts: &Texts,
        templated: bool,
    ) -> BTreeMap<String, Template> {
        if let Some((_, place)) = texts.get("__name__") {
            self.complain(place, "`__name__` is no label that a rule may set".into());
        }
        self.templates(texts, "label", templated)
    }

    pub(super) fn templates(
        &self,
        texts: &Texts,
        what: &str,
        templated: bool,
    ) -> BTreeMap<String, Template> {
        let mut templates = BTreeMap::new();
        for (name, (text, place)) in texts {
            if name.is_empty() {
                self.complain(place, format!("a {what} needs a name"));
            }
            let template = if templated {
                Template::parse(text)
            } else {
                Ok(Template::verbatim(text))
            };
            match template {
                Ok(template) => {
                    templates.insert(name.clone(), template);
                }
                Err(cause) => self.complain(place, format!("template of {what} `{name}`: {cause}")),
            }
        }
        templates
    }
}
