//! Where samples come from, and what a value rests on.

use std::fmt;
use std::sync::Arc;

/// Where samples come from: one collector (or probe) on one database of one server.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct Source {
    /// The server's configured name; empty for what belongs to no server (pgvigil itself).
    pub server: Arc<str>,
    /// The database for collectors of database scope, else empty.
    pub database: Arc<str>,
    /// The collector's name; a backup source is `backup:NAME`.
    pub collector: Arc<str>,
}

impl Source {
    /// A source by its three names.
    pub fn new(server: &str, database: &str, collector: &str) -> Self {
        Source {
            server: server.into(),
            database: database.into(),
            collector: collector.into(),
        }
    }

    /// pgvigil itself, whose samples tell how its rooms are doing.
    pub fn own() -> Self {
        Source::new("", "", "pgvigil")
    }

    /// Whether it is pgvigil itself.
    pub fn is_own(&self) -> bool {
        self.server.is_empty() && &*self.collector == "pgvigil"
    }

    /// Whether it is a recording rule, which is a source to the alerts over what it writes.
    pub fn is_rule(&self) -> bool {
        self.server.is_empty() && self.collector.starts_with("rule:")
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [&self.server, &self.database, &self.collector];
        let named: Vec<&str> = parts
            .iter()
            .map(|part| part.as_ref())
            .filter(|part| !part.is_empty())
            .collect();
        f.write_str(&named.join("/"))
    }
}

/// The set of sources a value rests on, sorted; cheap to clone and to unite.
#[derive(
    Debug,
    Clone,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    serde::Serialize,
    serde::Deserialize,
)]
pub struct Sources(Arc<[Source]>);

impl Sources {
    /// The set of one.
    pub fn one(source: Source) -> Self {
        Sources(Arc::from([source]))
    }

    /// What both sets hold together.
    pub fn union(&self, other: &Sources) -> Sources {
        if other.0.is_empty() || Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0 {
            return self.clone();
        }
        if self.0.is_empty() {
            return other.clone();
        }
        self.0.iter().chain(other.0.iter()).cloned().collect()
    }

    /// The sources in order.
    pub fn iter(&self) -> impl Iterator<Item = &Source> {
        self.0.iter()
    }

    /// Whether the value rests on nothing that was read (a literal, say).
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Source> for Sources {
    fn from_iter<I: IntoIterator<Item = Source>>(sources: I) -> Self {
        let sorted: std::collections::BTreeSet<Source> = sources.into_iter().collect();
        Sources(sorted.into_iter().collect())
    }
}
