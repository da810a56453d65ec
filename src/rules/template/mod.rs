//! Go's text/template as far as Prometheus offers it in rules. Takes a text, checked when it is parsed; hands on what
//! it prints for one result.

use std::sync::Arc;

/// A parsed template.
#[derive(Debug, Clone)]
pub struct Template {
    source: Arc<str>,
}

impl Template {
    /// The text as it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What it prints, when that is the same for every result.
    pub fn literal(&self) -> Option<&str> {
        (!self.source.contains("{{")).then_some(&*self.source)
    }
}
