//! What reading a backup showed.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::backup::Proof;
use crate::sample::Timestamp;

/// What is known of one file or folder after reading it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// How far it is known to be good.
    pub proof: Proof,
    /// What it is, such as `custom archive in gzip`.
    pub format: String,
    /// When the dump began, as its header says: the dumper's local time, read as UTC.
    pub made: Option<Timestamp>,
    /// The database it was taken of; plain dumps rarely say.
    pub database: Option<String>,
    /// The server's version, as the dump says.
    pub server_version: Option<String>,
    /// The version of the pg_dump that wrote an archive.
    #[serde(default)]
    pub dumper_version: Option<String>,
    /// The tables whose rows it holds.
    pub tables: Vec<Table>,
    /// Bytes of data after undoing all compression.
    pub uncompressed_bytes: u64,
    /// What kind of thing is wrong.
    pub trouble: Option<Trouble>,
    /// What is wrong, in words for a person.
    pub problem: Option<String>,
    /// Why no more could be proved although nothing is wrong.
    pub remark: Option<String>,
}

impl Verdict {
    /// Of something that is merely there.
    pub(crate) fn listed(format: &str) -> Self {
        Verdict {
            proof: Proof::Listed,
            format: format.into(),
            made: None,
            database: None,
            server_version: None,
            dumper_version: None,
            tables: Vec::new(),
            uncompressed_bytes: 0,
            trouble: None,
            problem: None,
            remark: None,
        }
    }

    /// Whether nothing is known against it.
    pub fn is_good(&self) -> bool {
        self.trouble.is_none()
    }
}

/// The rows of one table in a dump.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Table {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// How many rows.
    pub rows: u64,
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.schema, self.name)
    }
}

/// What can be wrong with a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// Not a single byte.
    Empty,
    /// A sound compressed file with nothing in it: the dump never began.
    NothingInside,
    /// The dump stops before its end: it was interrupted.
    HalfWritten,
    /// The compressed file stops before its end: it was cut.
    Truncated,
    /// A checksum or the structure is wrong.
    Corrupt,
    /// No kind of dump that is known.
    NotADump,
    /// It cannot be read.
    Unreadable,
}

impl Trouble {
    /// Every kind of trouble.
    pub const ALL: [Trouble; 7] = [
        Trouble::Empty,
        Trouble::NothingInside,
        Trouble::HalfWritten,
        Trouble::Truncated,
        Trouble::Corrupt,
        Trouble::NotADump,
        Trouble::Unreadable,
    ];

    /// The value of the label `problem`.
    pub fn label(self) -> &'static str {
        match self {
            Trouble::Empty => "empty",
            Trouble::NothingInside => "nothing_inside",
            Trouble::HalfWritten => "half_written",
            Trouble::Truncated => "truncated",
            Trouble::Corrupt => "corrupt",
            Trouble::NotADump => "not_a_dump",
            Trouble::Unreadable => "unreadable",
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.label().replace('_', " "))
    }
}
