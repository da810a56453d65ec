//! Go's text/template as far as Prometheus offers it in rules. Takes a text, checked when it is parsed; hands on what
//! it prints for one result.

mod compute;
mod eval;
mod functions;
mod humanize;
mod labels;
mod lexer;
mod literal;
mod number;
mod parser;
mod printf;
mod prometheus;
mod tree;
mod value;
mod words;

use std::sync::Arc;

pub(super) use eval::{Answer, Input};
pub(in crate::rules) use literal::escape;

/// A parsed template.
#[derive(Debug, Clone)]
pub struct Template {
    source: Arc<str>,
    tree: Option<Arc<tree::Tree>>,
}

impl Template {
    /// Parses a template.
    ///
    /// # Errors
    /// Bad syntax, an unknown function or an undefined variable.
    pub fn parse(source: &str) -> Result<Template, String> {
        let tree = if source.contains("{{") {
            Some(Arc::new(parser::parse(source)?))
        } else {
            None
        };
        Ok(Template {
            source: source.into(),
            tree,
        })
    }

    /// A text in which braces have no meaning.
    pub fn verbatim(text: &str) -> Template {
        Template {
            source: text.into(),
            tree: None,
        }
    }

    /// The text as it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What it prints, when that is the same for every result.
    pub fn literal(&self) -> Option<&str> {
        self.tree.is_none().then_some(&*self.source)
    }

    /// What it prints for one result; of an error, `<error expanding template: …>`.
    pub(super) fn print(&self, input: &Input) -> String {
        match &self.tree {
            None => self.source.to_string(),
            Some(tree) => eval::print(tree, input)
                .unwrap_or_else(|cause| format!("<error expanding template: {cause}>")),
        }
    }
}

#[cfg(test)]
mod tests;
