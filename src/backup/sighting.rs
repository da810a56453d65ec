//! What a source of backups shows at one look, whatever kind of source it is.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::ended::Ended;
use super::inspect::Trouble;
use super::wal::{Segment, Wal};
use crate::sample::Timestamp;

/// Everything seen at one look.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sighting {
    /// The backups, in no particular order.
    pub backups: Vec<Backup>,
    /// The WAL archive, where the source shows one.
    pub wal: Option<Wal>,
    /// What the source says of itself beside its backups, such as a stanza that differs between repositories.
    pub complaints: Vec<String>,
    /// The file system they lie on, where there is one.
    pub space: Option<Space>,
    /// When a tool's answer was written, the oldest of several, where that was done elsewhere.
    pub told: Option<Timestamp>,
}

impl Sighting {
    /// A part of it was written at a moment, where that was done elsewhere.
    pub(super) fn is_as_old_as(&mut self, told: Option<Timestamp>) {
        self.told = self.told.min(told).or(self.told).or(told);
    }
}

/// Room on a file system, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// Left for an unprivileged writer.
    pub free: u64,
}

/// One backup, as its source tells of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Backup {
    /// Its name in the source.
    pub id: String,
    /// What it holds.
    pub kind: Kind,
    /// How it stands.
    pub state: State,
    /// When it began, as the backup itself says. A dump says so in the dumper's local time without a zone, read here as
    /// UTC: up to 14 hours off.
    pub started: Option<Timestamp>,
    /// When it was written for the last time; for a running one, when it was first seen.
    pub finished: Timestamp,
    /// When it ended, where what is written in it and in an archive tells more of that than `finished`.
    pub ended: Option<Ended>,
    /// How long it took to make, where that is known.
    pub took: Option<Duration>,
    /// Stored size.
    pub bytes: u64,
    /// The backup it needs.
    pub parent: Option<String>,
    /// Whether it holds roles and tablespaces alone, and no data.
    pub is_globals: bool,
    /// What it is a backup of, as the backup itself says.
    pub origin: Option<Origin>,
    /// It is known to be of another database or cluster than its source is for.
    pub is_foreign: bool,
    /// The first and the last WAL segment without which it cannot become consistent.
    pub wal: Option<(Segment, Segment)>,
    /// Which of several repositories of the source holds it.
    pub repository: Option<String>,
    /// How it is stored.
    pub storage: Storage,
    /// How far it is known to be good.
    pub proof: Proof,
    /// What is wrong with it.
    pub trouble: Option<Trouble>,
    /// The same in words for a person.
    pub problem: Option<String>,
}

/// How a backup is stored, as far as its place tells.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Storage {
    /// The storage class of an object store, such as `STANDARD_IA`.
    pub class: Option<String>,
    /// Whether it is encrypted where it lies.
    pub is_encrypted: Option<bool>,
    /// A checksum by which a copy elsewhere can be told to be the same, as `kind:hex`.
    pub checksum: Option<String>,
}

impl Backup {
    /// One of which nothing more is known than that it is there.
    pub fn listed(id: &str, kind: Kind, finished: Timestamp) -> Self {
        Backup {
            id: id.into(),
            kind,
            state: State::Unread,
            started: None,
            finished,
            ended: None,
            took: None,
            bytes: 0,
            parent: None,
            is_globals: false,
            origin: None,
            is_foreign: false,
            wal: None,
            repository: None,
            storage: Storage::default(),
            proof: Proof::Listed,
            trouble: None,
            problem: None,
        }
    }
}

/// What a backup holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A whole cluster, physically.
    Full,
    /// What changed since the last full one.
    Differential,
    /// What changed since the one before.
    Incremental,
    /// A logical dump.
    Dump,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 4] = [
        Kind::Full,
        Kind::Differential,
        Kind::Incremental,
        Kind::Dump,
    ];

    /// Whether it is of a whole cluster, so that WAL leads on from it.
    pub fn is_physical(self) -> bool {
        self != Kind::Dump
    }

    /// Whether it needs no other backup.
    pub fn is_root(self) -> bool {
        matches!(self, Kind::Full | Kind::Dump)
    }

    /// The value of the label `kind`.
    pub fn label(self) -> &'static str {
        match self {
            Kind::Full => "full",
            Kind::Differential => "diff",
            Kind::Incremental => "incr",
            Kind::Dump => "dump",
        }
    }
}

/// How a backup stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Finished and read, and nothing is known against it.
    Done,
    /// Finished, and not read yet.
    Unread,
    /// Still being written.
    Running,
    /// Given up by the tool that wrote it.
    Failed,
    /// Finished, and not what was written.
    Damaged,
}

impl State {
    /// The states that are counted.
    pub const COUNTED: [State; 4] = [State::Done, State::Running, State::Failed, State::Damaged];

    /// The state it is counted as: until it has been read, a backup is taken to be what it seems.
    pub fn counted(self) -> State {
        match self {
            State::Unread => State::Done,
            state => state,
        }
    }

    /// Whether it has come to an end, and to which is known.
    pub fn is_judged(self) -> bool {
        matches!(self, State::Done | State::Failed | State::Damaged)
    }

    /// Whether nothing is known against it.
    pub fn is_good(self) -> bool {
        !matches!(self, State::Failed | State::Damaged)
    }

    /// The value of the label `state`.
    pub fn label(self) -> &'static str {
        match self {
            State::Done | State::Unread => "done",
            State::Running => "running",
            State::Failed => "failed",
            State::Damaged => "damaged",
        }
    }
}

/// What a backup says it was taken of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A cluster, by its system identifier.
    Cluster(u64),
    /// One database, by name.
    Database(String),
}

/// How far a backup is known to be good; each level includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Proof {
    /// It is there.
    Listed,
    /// It begins as a backup does.
    Opened,
    /// It was read to its end and nothing is missing.
    Whole,
    /// It is whole, and every byte agrees with a checksum.
    Summed,
    /// It was restored.
    Restored,
}

impl Proof {
    /// The levels that have to be earned.
    pub const EARNED: [Proof; 4] = [Proof::Opened, Proof::Whole, Proof::Summed, Proof::Restored];

    /// The value of the label `proof`, and the word for a person.
    pub fn label(self) -> &'static str {
        match self {
            Proof::Listed => "listed",
            Proof::Opened => "opened",
            Proof::Whole => "whole",
            Proof::Summed => "summed",
            Proof::Restored => "restored",
        }
    }
}
