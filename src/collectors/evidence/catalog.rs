//! The evidence queries that are built in, one file each, and how they and a user's own are read.

use std::sync::Arc;

use super::{EvidenceQuery, evidence_query};
use crate::collectors::catalog::{self, load_all};
use crate::document::{Node, Problem, Reader, Value, parse};

macro_rules! built_in {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!($name, ".yml")))),*]
    };
}

/// Name and text of each file, in the order of the reference.
const BUILT_IN: &[(&str, &str)] = built_in![
    "client_sessions",
    "long_queries",
    "open_transactions",
    "blocking_tree",
    "prepared",
    "xmin_holders",
    "slots",
    "standby_positions",
    "replay",
    "archiving",
    "largest_databases",
    "largest_tables",
    "never_scanned",
    "invalid_indexes",
    "dead_rows",
    "vacuums",
    "oldest_databases",
    "oldest_tables",
    "used_sequences",
    "damaged_pages",
    "pending_settings",
];

/// Whether an evidence query of that name is built in.
pub(in crate::collectors) fn is_built_in(name: &str) -> bool {
    BUILT_IN.iter().any(|(known, _)| *known == name)
}

/// Whether a file declares an evidence query, and no collector.
pub(in crate::collectors) fn is_evidence(root: &Node) -> bool {
    let Value::Map(entries) = &root.value else {
        return false;
    };
    let is = |value: &Value| matches!(value, Value::Scalar(word) if word == "evidence");
    let mut entries = entries.iter();
    entries.any(|(key, node)| key.text == "kind" && is(&node.value))
}

/// Reads the built-in evidence queries and then a user's own, which are among the files of `collect.include`.
///
/// # Errors
/// Everything that is wrong with any of them.
pub fn load_evidence(files: &[(String, String)]) -> Result<Vec<Arc<EvidenceQuery>>, Vec<Problem>> {
    load_all(BUILT_IN, files, file)
}

/// `None` for a collector's file. What cannot be parsed is told by who reads collectors.
fn file(
    origin: &str,
    text: &str,
    earlier: &[Arc<EvidenceQuery>],
) -> Result<Option<EvidenceQuery>, Vec<Problem>> {
    let Some(root) = parse(origin, text).ok().filter(is_evidence) else {
        return Ok(None);
    };
    let reader = Reader::new(None);
    let query = reader.read(&root, |s| {
        let query = evidence_query(s);
        let taken = earlier.iter().any(|other| other.name() == query.name());
        if taken || catalog::is_built_in(query.name()) {
            let message = format!(
                "there is already something to read named `{}`",
                query.name()
            );
            s.problem("name", message, Some("give it another name"));
        }
        query
    });
    match reader.problems() {
        problems if problems.is_empty() => Ok(Some(query)),
        problems => Err(problems),
    }
}
