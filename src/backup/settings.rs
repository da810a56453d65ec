//! `backups:` in the configuration.

mod access;
mod address;
mod tool;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

pub use access::Access;
pub use address::{Address, Files, Provider, Root};
pub use tool::{Tool, ToolKind, Way};

use crate::document::Section;

/// A place where backups of one server should appear, and what was promised about them.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The name in metrics and messages, unique among the backups.
    pub name: String,
    /// The server whose backups these are; empty when only one is watched.
    pub server: String,
    /// The database each dump should be of, when that is to be checked.
    pub database: Option<String>,
    /// Where they are.
    pub place: Place,
    /// Where the WAL archive that goes with the base backups lies, when it lies apart from them.
    pub wal: Option<Files>,
    /// How often a backup is promised.
    pub every: Duration,
    /// How often a full one is promised, where those between are smaller.
    pub full_every: Option<Duration>,
    /// How much later than promised a backup may come.
    pub grace: Duration,
    /// How long backups are promised to be kept.
    pub keep: Option<Duration>,
    /// How much may be lost, at most: the age of the newest moment that could be restored.
    pub rpo: Option<Duration>,
    /// The source whose backups should be here too.
    pub copy_of: Option<String>,
    /// Whether this place would survive the loss of the server's site.
    pub offsite: Option<bool>,
    /// What kind of storage it is; two of a kind are one medium.
    pub media: Option<String>,
    /// The log of the job that takes the backups.
    pub log: Option<PathBuf>,
    /// Tables that each dump must hold, and how many rows at least.
    pub expect_rows: BTreeMap<String, u64>,
    /// How often the place is looked at.
    pub look: Duration,
    /// Bytes per second at which new files are read to judge them.
    pub verify_rate: u64,
}

/// What kind of source it is, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Files that are told apart by what is in them.
    Files(Files),
    /// What a tool tells of the backups it keeps.
    Tool(Box<Tool>),
}

impl Settings {
    /// How old the newest backup may be.
    pub fn due(&self) -> Duration {
        self.every + self.grace
    }

    /// Reads the list `backups` of the root section.
    pub fn read(root: &mut Section) -> Vec<Settings> {
        let mut names: Vec<String> = Vec::new();
        let all = root.list("backups", "Where backups should appear.", |s| {
            let settings = Settings::read_one(s);
            if !settings.name.is_empty() && names.contains(&settings.name) {
                let message = format!("`{}` is the name of another backup", settings.name);
                s.problem("name", message, Some("give each its own name"));
            }
            names.push(settings.name.clone());
            settings
        });
        for (element, settings) in all.iter().enumerate() {
            let Some(original) = &settings.copy_of else {
                continue;
            };
            if *original == settings.name || !names.contains(original) {
                let message = format!(
                    "`{}` is said to be a copy of `{original}`, which is no other backup here",
                    settings.name
                );
                let hint = "`copy_of` is the name of another backup";
                root.problem_of(("backups", element, "copy_of"), message, hint);
            }
        }
        all
    }

    fn read_one(s: &mut Section) -> Settings {
        let files = s.parsed(
            "files",
            "path",
            "",
            "A folder of this machine or in a bucket (`s3://bucket/daily`, `gs://…`, `az://container/…`), or such a folder and a file name in which `*` and `?` match; or one file of this machine.",
            Files::read,
        );
        let tool = ToolKind::ALL
            .map(|kind| kind.read(s))
            .into_iter()
            .flatten()
            .next();
        let access = Access::read(s);
        let reached = |files: Files| files.reached(&access);
        let settings = Settings {
            name: s
                .parsed(
                    "name",
                    "text",
                    "",
                    "The name in metrics and messages.",
                    name,
                )
                .unwrap_or_default(),
            server: s.text(
                "server",
                "",
                "The server whose backups these are; not needed when only one is watched.",
            ),
            database: s.optional_text(
                "database",
                "The database each dump should be of; a dump of another one is an alert.",
            ),
            place: match tool {
                Some(tool) => Place::Tool(Box::new(tool)),
                None => Place::Files(files.map(reached).unwrap_or_default()),
            },
            wal: s.parsed(
                "wal",
                "path",
                "",
                "The WAL archive that goes with the base backups, when it lies apart from them.",
                Files::read,
            ).map(reached),
            every: s.duration("every", "1d", "How often a backup is promised."),
            full_every: s.optional_duration(
                "full_every",
                "How often a full backup is promised, where those between are smaller.",
            ),
            grace: s.duration(
                "grace",
                "6h",
                "How much later than promised a backup may come.",
            ),
            keep: s.optional_duration("keep", "How long backups are promised to be kept."),
            rpo: s.optional_duration(
                "rpo",
                "The most that may be lost: how old the newest moment that could be restored may be. `5m` where the source shows WAL; elsewhere `every` is the promise.",
            ),
            copy_of: s.optional_text(
                "copy_of",
                "The name of the source whose backups should lie here too, with the same size and checksum, once they are as old as `grace`.",
            ),
            offsite: s.optional_flag(
                "offsite",
                "Whether this place would survive the loss of the server's site. A bucket is taken to, a folder is not.",
            ),
            media: s.optional_text(
                "media",
                "What kind of storage it is, such as `disk`, `tape` or the name of a provider; two places with one are one medium.",
            ),
            log: s.optional_path("log", "The log of the job that takes the backups; its errors are told."),
            expect_rows: expected_rows(s),
            look: s.duration("look", "5m", "How often the place is looked at."),
            verify_rate: s.bytes(
                "verify_rate",
                "50MiB",
                "Bytes per second at which new files are read to judge them.",
            ),
        };
        settings.check(s);
        settings
    }

    /// Whether the place would survive the loss of the server's site, as declared; a bucket is taken to, a folder is not.
    pub fn is_offsite(&self) -> bool {
        self.offsite.unwrap_or_else(|| self.place.is_bucket())
    }

    fn check(&self, s: &Section) {
        if !s.has("name") && !s.has("name_file") {
            s.problem(
                "name",
                "`name` is missing",
                Some("a short name such as `nightly`"),
            );
        }
        check_place(s);
        for (key, span) in [("every", self.every), ("look", self.look)] {
            if span.is_zero() {
                s.problem(key, "must be longer than `0`", None);
            }
        }
        if self.keep.is_some_and(|keep| keep < self.every) {
            s.problem(
                "keep",
                "is shorter than `every`: no backup would ever be kept",
                None,
            );
        }
        if self.verify_rate < 64 << 10 {
            s.problem(
                "verify_rate",
                "is too slow to ever finish",
                Some("at least `64KiB`"),
            );
        }
    }
}

/// Exactly one key says what kind of place it is.
fn check_place(s: &Section) {
    let keys = ["files", "files_file", "pgbackrest", "barman", "walg"];
    let mut written = keys.into_iter().filter(|key| s.has(key));
    match (written.next(), written.next()) {
        (None, _) => {
            let message = "one of `files`, `pgbackrest`, `barman` and `walg` is missing";
            let hint = "where the dumps are, such as `/backups/rachel/rachel_*.sql.gz`";
            s.problem("files", message, Some(hint));
        }
        (Some(first), Some(second)) => {
            let hint = "one of `files`, `pgbackrest`, `barman` and `walg`; a second place is a second backup";
            s.problem(
                second,
                format!("`{first}` says already where the backups are"),
                Some(hint),
            );
        }
        _ => {}
    }
}

fn name(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    if !text.is_empty() && text.len() <= 64 && !text.starts_with('.') && text.chars().all(plain) {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "`{text}` is no name; use up to 64 letters, digits, `_`, `-` and `.`"
        ))
    }
}

fn expected_rows(s: &mut Section) -> BTreeMap<String, u64> {
    let pairs = s.pairs(
        "expect_rows",
        "Tables, as `schema.table`, that each dump must hold, and how many rows each must have at least.",
    );
    let mut expected = BTreeMap::new();
    for (table, rows) in pairs {
        match rows.parse() {
            Ok(rows) => {
                expected.insert(table, rows);
            }
            Err(_) => s.problem(
                "expect_rows",
                format!("`{rows}` is no number of rows of `{table}`"),
                None,
            ),
        }
    }
    expected
}

#[cfg(test)]
mod tests;
