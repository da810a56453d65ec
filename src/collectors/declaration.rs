//! What a collector's file declares, once it is known to be valid.

use std::sync::Arc;
use std::time::Duration;

use super::{Metric, Pivot};
use crate::server::{ExtensionVersion, Kind, Lane, Table};

/// One collector: what it reads, when, under which conditions, and what its columns are.
#[derive(Debug, Clone, PartialEq)]
pub struct Collector {
    /// Its name in settings, logs and the `collector` label.
    pub name: Arc<str>,
    /// What it watches, one sentence.
    pub doc: String,
    /// The kind of server it reads.
    pub kind: Kind,
    /// Whether it is read once per server or in every database.
    pub scope: Scope,
    /// How often it is read.
    pub interval: Cadence,
    /// The most its statement may take; `collect.timeout` when not given.
    pub timeout: Option<Duration>,
    /// How many intervals its last samples outlive a failure.
    pub lifetime: u32,
    /// Which of the two connections reads it.
    pub lane: Lane,
    /// The servers on which it makes sense.
    pub on: Role,
    /// The extension without which it has nothing to read.
    pub extension: Option<String>,
    /// What must be granted, or its answer would be denied, empty or wrong.
    pub privilege: Option<Privilege>,
    /// Whether it runs without being named in `collect.enable`.
    pub enabled: bool,
    /// Whether all it gives are older names, so that it runs only with `collect.aliases`.
    pub alias: bool,
    /// Which rows are shown when there are too many; the first ones when `None`.
    pub top: Option<Top>,
    /// The values of another collector for which it reads, each once.
    pub lookup: Option<Lookup>,
    /// Its statements, no two of them for the same versions.
    pub queries: Vec<Query>,
    /// How an answer of names and values becomes one row, where it is such.
    pub pivot: Option<Pivot>,
    /// What the columns are.
    pub metrics: Vec<Metric>,
}

/// What a collector reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Facts of the whole server, read in the configured database.
    Server,
    /// Facts of one database, read in each.
    Database,
}

/// How often a collector is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cadence {
    /// Every so many times `collect.interval`.
    Times(u32),
    /// At an interval of its own.
    Every(Duration),
}

/// The role a server plays in replication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Both.
    Any,
    /// Not in recovery.
    Primary,
    /// In recovery.
    Standby,
}

/// Reading only what another collector shows and is not known yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookup {
    /// The other collector, on the same server and database.
    pub of: Arc<str>,
    /// The label, of the other's series and of its own, whose values are looked up.
    pub label: Arc<str>,
}

/// The choice among many rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Top {
    /// The columns whose largest values are looked for, each with an equal share of the rows.
    pub by: Vec<Arc<str>>,
    /// The most rows, however many series there may be.
    pub rows: Option<usize>,
    /// The labels that tell one row from another: those that the collector's metrics have in common.
    pub labels: Vec<Arc<str>>,
}

/// What a collector needs to be granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Privilege {
    /// The role or the rights.
    pub needs: Needs,
    /// A column that names the rights where they are missing and the rest of the answer would be silently empty.
    pub missing: Option<String>,
    /// What is missing without it.
    pub reason: String,
}

/// What stands between `GRANT` and `TO`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Needs {
    /// Membership of a role, such as `pg_read_all_stats`: known before the collector runs.
    Role(String),
    /// The right to call a function of `pg_catalog`, in the configured database: known before the collector runs.
    Function(String),
    /// Rights on objects, such as `SELECT ON TABLE pg_catalog.pg_statistic`; `{schema}` stands for every schema of
    /// the database. Found out by running the collector.
    Rights(String),
}

impl Privilege {
    /// The role or the rights, as they are granted.
    pub fn needs(&self) -> &str {
        match &self.needs {
            Needs::Role(needs) | Needs::Function(needs) | Needs::Rights(needs) => needs,
        }
    }

    /// Where it has to be granted, to follow the statement; roles are the same in every database.
    pub fn place(&self) -> &'static str {
        match self.needs {
            Needs::Function(_) => " in the configured database",
            Needs::Role(_) | Needs::Rights(_) => "",
        }
    }

    /// The rights that an answer says are missing.
    pub fn missing_in<'t>(&self, table: &'t Table) -> Option<&'t str> {
        let column = self.missing.as_deref()?;
        let place = table.place(column)?;
        table.rows().find_map(|row| row.cell(place))
    }
}

/// A statement for a range of major versions, and for an extension from a version on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The first major version.
    pub since: u32,
    /// The last major version; none yet when `None`.
    pub until: Option<u32>,
    /// The first version of the collector's extension; any when `None`.
    pub extension: Option<ExtensionVersion>,
    /// The statement; `${NAME}` stands for a setting.
    pub sql: String,
}

impl Query {
    /// Whether it is meant for a major version.
    pub fn covers(&self, major: u32) -> bool {
        self.since <= major && self.until.is_none_or(|until| major <= until)
    }
}

impl Collector {
    /// The statement for a major version and the installed version of its extension: of several the one for the latest.
    pub fn query(&self, major: u32, installed: Option<&ExtensionVersion>) -> Option<&Query> {
        let of_major = self.queries.iter().filter(|query| query.covers(major));
        of_major
            .filter(|query| query.extension.is_none() || query.extension.as_ref() <= installed)
            .max_by_key(|query| &query.extension)
    }

    /// The first and the last major version that has a metric; [`u32::MAX`] where none is the last yet.
    pub fn majors(&self, metric: &Metric) -> (u32, u32) {
        let first = self.queries.iter().map(|query| query.since).min();
        let ends = self.queries.iter();
        let last = ends.map(|query| query.until.unwrap_or(u32::MAX)).max();
        (
            first.unwrap_or_default().max(metric.since.unwrap_or(0)),
            last.unwrap_or_default()
                .min(metric.until.unwrap_or(u32::MAX)),
        )
    }
}
