//! Evidence: declared queries whose rows explain an alert, in the format of collectors, with texts for metrics.
//! Takes declarations, facts and answered tables; hands on statements and rows of texts.

mod catalog;
mod explain;
mod found;
mod plain;
mod read;

use std::sync::Arc;
use std::time::Duration;

use super::{Collector, Reason, Run, Settings, plan};
use crate::server::Facts;

pub use catalog::load_evidence;
pub(super) use catalog::{is_built_in, is_evidence};
pub use explain::explain_evidence;
pub use found::{Found, found};
use read::evidence_query;

/// The annotation of a rule that names the queries, with commas or spaces between them.
pub const ANNOTATION: &str = "evidence";

/// No statement for evidence takes longer: people wait for it.
pub const LONGEST: Duration = Duration::from_secs(2);

/// One declared query.
#[derive(Debug, Clone, PartialEq)]
pub struct EvidenceQuery {
    /// What it reads, and under which conditions: a collector without metrics.
    pub reads: Arc<Collector>,
    /// What its rows are, for a heading.
    pub title: String,
    /// The most rows that are shown.
    pub rows: usize,
    /// Columns with the text of statements.
    pub statements: Vec<Arc<str>>,
}

impl EvidenceQuery {
    /// Its name in annotations, settings and logs.
    pub fn name(&self) -> &str {
        &self.reads.name
    }

    /// How it is read on a server with these facts.
    ///
    /// # Errors
    /// Why it is not.
    pub fn plan(&self, facts: &Facts, settings: &Settings) -> Result<Run, Reason> {
        let mut run = plan::admit(&self.reads, facts, settings)?;
        run.timeout = run.timeout.min(LONGEST);
        run.sql = self.bounded(&run.sql).into();
        Ok(run)
    }

    /// The statement with at most as many rows as are shown, each with how many there are.
    fn bounded(&self, sql: &str) -> String {
        format!(
            "SELECT *, pg_catalog.count(*) OVER () AS \"{}\" FROM (\n{sql}\n) AS evidence LIMIT {}",
            found::COUNT,
            self.rows
        )
    }
}

/// The names in an annotation, each once.
pub fn named(annotation: &str) -> Vec<&str> {
    let words = annotation.split(|c: char| c == ',' || c.is_whitespace());
    let mut names: Vec<&str> = Vec::new();
    for word in words.filter(|word| !word.is_empty()) {
        if !names.contains(&word) {
            names.push(word);
        }
    }
    names
}

#[cfg(test)]
mod tests;
