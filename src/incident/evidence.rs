//! What was found when an incident opened: the rows that explain it.

use serde::{Deserialize, Serialize};

use crate::sample::Timestamp;

/// The answer to one declared query, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The query's name.
    pub query: String,
    /// What the rows are, for a heading.
    pub title: String,
    /// The server it was read from.
    pub server: String,
    /// When.
    pub at: Timestamp,
    /// The names of the columns.
    pub columns: Vec<String>,
    /// As many texts each as there are columns.
    pub rows: Vec<Vec<String>>,
    /// How many rows were left out.
    pub more: usize,
    /// Why there are no rows; empty when the query was answered.
    pub error: String,
}
