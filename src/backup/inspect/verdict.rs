//! What reading a backup showed.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::backup::{Kind, Proof, Said};
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
    /// When the base backup began, as its label says.
    #[serde(default)]
    pub began: Option<Said>,
    /// When the oldest and the newest file of a base backup were last written before they were copied into it, as its
    /// manifest says; of the data directory of a server that was shut down, when that was.
    #[serde(default)]
    pub written: Option<(Timestamp, Timestamp)>,
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
    /// Its place stopped answering before the end: nothing is known, and it is to be read again.
    #[serde(default)]
    pub is_provisional: bool,
    /// What kind of backup it is.
    pub kind: Kind,
    /// The cluster a base backup was taken of.
    pub system_identifier: Option<u64>,
    /// The WAL without which a base backup cannot become consistent.
    pub wal: Option<Needed>,
    /// Whether that WAL is inside the backup itself.
    pub has_wal: bool,
    /// The position at which the backup began whose changed blocks alone are in this one.
    pub since: Option<u64>,
    /// Stored size of a base backup's folder; 0 for anything else.
    pub stored_bytes: u64,
    /// A checksum of the file as it lies there, as `kind:hex`, where one was computed.
    pub checksum: Option<String>,
    /// The roles that own something in a dump, as far as it names them.
    pub owners: BTreeSet<String>,
    /// Whether it holds roles and tablespaces alone, and no data.
    #[serde(default)]
    pub is_globals: bool,
}

/// A stretch of WAL, in positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Needed {
    /// The timeline it begins on.
    pub timeline: u32,
    /// Its first byte.
    pub start: u64,
    /// The byte after its last.
    pub end: u64,
}

/// More roles are not kept.
const MOST_OWNERS: usize = 1000;

impl Verdict {
    /// Of something that is merely there.
    pub(crate) fn listed(format: &str) -> Self {
        Verdict {
            proof: Proof::Listed,
            format: format.into(),
            made: None,
            began: None,
            written: None,
            database: None,
            server_version: None,
            dumper_version: None,
            tables: Vec::new(),
            uncompressed_bytes: 0,
            trouble: None,
            problem: None,
            remark: None,
            is_provisional: false,
            kind: Kind::Dump,
            system_identifier: None,
            wal: None,
            has_wal: false,
            since: None,
            stored_bytes: 0,
            checksum: None,
            owners: BTreeSet::new(),
            is_globals: false,
        }
    }

    /// Notes a role that owns something.
    pub(super) fn owned_by(&mut self, role: &str) {
        if !role.is_empty() && self.owners.len() < MOST_OWNERS && !self.owners.contains(role) {
            self.owners.insert(role.into());
        }
    }

    /// How far it is good by itself: a base backup without the WAL it needs cannot be started.
    pub(crate) fn alone(mut self) -> Self {
        if self.kind.is_physical() && self.is_good() && !self.has_wal && self.proof > Proof::Opened
        {
            self.proof = Proof::Opened;
            self.trouble = Some(Trouble::WalMissing);
            self.problem = Some(
                "needs WAL that is not inside it: it can be started only with the archive that has it"
                    .into(),
            );
        }
        if self.since.is_some() && self.is_good() && self.remark.is_none() {
            self.remark = Some(
                "complete; it holds changes only, and is nothing without the backup before it"
                    .into(),
            );
        }
        self
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
    /// WAL without which it cannot become consistent is not there.
    WalMissing,
    /// The backup whose changes it holds is not there, or not good.
    ParentMissing,
    /// A table, or rows of it, that were promised are not in it.
    RowsMissing,
}

impl Trouble {
    /// Every kind of trouble.
    pub const ALL: [Trouble; 10] = [
        Trouble::Empty,
        Trouble::NothingInside,
        Trouble::HalfWritten,
        Trouble::Truncated,
        Trouble::Corrupt,
        Trouble::NotADump,
        Trouble::Unreadable,
        Trouble::WalMissing,
        Trouble::ParentMissing,
        Trouble::RowsMissing,
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
            Trouble::WalMissing => "wal_missing",
            Trouble::ParentMissing => "parent_missing",
            Trouble::RowsMissing => "rows_missing",
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.label().replace('_', " "))
    }
}
