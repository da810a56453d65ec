//! `pgbackrest:`, `barman:` and `walg:` of a backup: how each tool is asked.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;

use crate::document::{Section, Thing};

/// A tool that keeps backups, and how it is asked about them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tool {
    /// Which tool.
    pub kind: ToolKind,
    /// The stanza or the server that is meant; empty where the tool knows only one.
    pub subject: String,
    /// The one repository that is asked about, of several.
    pub repository: Option<u64>,
    /// Where the answer about backups comes from.
    pub way: Way,
    /// Where the listing of the WAL archive comes from; with a command the tool itself is asked.
    pub archive: Option<Way>,
    /// The folder in which Barman keeps everything, where it can be read from here.
    pub home: Option<PathBuf>,
    /// How long one look may take.
    pub timeout: Duration,
    /// An answer that was written elsewhere may be so old.
    pub max_age: Duration,
}

/// The tools that are understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToolKind {
    /// pgBackRest.
    PgBackRest,
    /// Barman.
    Barman,
    /// WAL-G.
    WalG,
}

/// Where an answer comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// From the tool itself: a program and the arguments it always gets.
    Command(Vec<String>),
    /// From a file that somebody has it written into.
    File(PathBuf),
    /// From an address where somebody offers it.
    Url(Url),
}

impl ToolKind {
    /// Every tool.
    pub const ALL: [ToolKind; 3] = [ToolKind::PgBackRest, ToolKind::Barman, ToolKind::WalG];

    /// The key of its section.
    pub fn key(self) -> &'static str {
        match self {
            ToolKind::PgBackRest => "pgbackrest",
            ToolKind::Barman => "barman",
            ToolKind::WalG => "walg",
        }
    }

    /// What it calls itself.
    pub fn name(self) -> &'static str {
        match self {
            ToolKind::PgBackRest => "pgBackRest",
            ToolKind::Barman => "Barman",
            ToolKind::WalG => "WAL-G",
        }
    }

    /// Its program.
    pub(in crate::backup) fn program(self) -> &'static str {
        match self {
            ToolKind::PgBackRest => "pgbackrest",
            ToolKind::Barman => "barman",
            ToolKind::WalG => "wal-g",
        }
    }

    /// The user that it usually runs as.
    pub(in crate::backup) fn user(self) -> &'static str {
        match self {
            ToolKind::Barman => "barman",
            ToolKind::PgBackRest | ToolKind::WalG => "postgres",
        }
    }

    /// What it divides its backups by: the key, and what it means.
    fn subject(self) -> Option<(&'static str, &'static str)> {
        match self {
            ToolKind::PgBackRest => Some(("stanza", "The stanza that is meant.")),
            ToolKind::Barman => Some(("server", "The server that is meant, as Barman calls it.")),
            ToolKind::WalG => None,
        }
    }

    fn doc(self) -> &'static str {
        match self {
            ToolKind::PgBackRest => {
                "The backups that pgBackRest keeps, by its `info` and the listing of its WAL archive."
            }
            ToolKind::Barman => "The backups that Barman keeps, by its `list-backups`.",
            ToolKind::WalG => "The backups that WAL-G keeps, by its `backup-list` and `wal-show`.",
        }
    }

    /// Reads its section, where there is one.
    pub(super) fn read(self, s: &mut Section) -> Option<Tool> {
        s.optional_section(self.key(), self.doc(), |s| self.read_section(s))
    }

    fn read_section(self, s: &mut Section) -> Tool {
        let subject = self.subject().map(|(key, doc)| subject(s, key, doc));
        let is_pgbackrest = self == ToolKind::PgBackRest;
        let repository = is_pgbackrest.then(|| {
            let doc = "The number of the one repository that is meant; all of them without it.";
            s.parsed("repository", "whole number", "", doc, repository)
        });
        let way = self.way(s);
        let archive = (self != ToolKind::Barman)
            .then(|| archive(s, self))
            .flatten();
        let home = (self == ToolKind::Barman).then(|| {
            let doc = "Barman's `barman_home`, where it can be read from here: then the WAL that it keeps is seen too, and which of it each backup needs.";
            s.optional_path("home", doc)
        });
        let timeout = s.duration(
            "timeout",
            if self == ToolKind::Barman {
                "60s"
            } else {
                "30s"
            },
            "How long one look may take; then the tool and all that it started are killed. Where the answer is written elsewhere: how long that may have taken.",
        );
        let max_age = s.duration(
            "max_age",
            "1h",
            "How old the answer may be where it comes from `file` or `url`.",
        );
        for (key, span) in [("timeout", timeout), ("max_age", max_age)] {
            if span.is_zero() {
                s.problem(key, "must be longer than `0`", None);
            }
        }
        Tool {
            kind: self,
            subject: subject.unwrap_or_default(),
            repository: repository.flatten(),
            way,
            archive,
            home: home.flatten(),
            timeout,
            max_age,
        }
    }

    fn way(self, s: &mut Section) -> Way {
        let (user, program) = (self.user(), self.program());
        let command = s.secret_texts(
            "command",
            &format!("The program, and arguments it always gets, such as `[sudo, -u, {user}, {program}]`; `{program}` in `PATH` without it. No shell reads them, and only the program is ever shown. It sees the environment without what is pgvigil's."),
        );
        let config = s.optional_text(
            "config",
            "The configuration of the tool, as it is told with `--config`.",
        );
        let file = s.optional_path(
            "file",
            "Instead of running the tool: a file into which its answer, as JSON, is written elsewhere.",
        );
        let url = s.parsed("url", "url", "", "The same at an address.", address);
        let written = ["command", "file", "url"]
            .into_iter()
            .filter(|key| s.has(key));
        if let Some(second) = written.skip(1).last() {
            let message =
                "only one of `command`, `file` and `url` can say where the answer comes from";
            s.problem(second, message, None);
        }
        match (file, url) {
            (Some(file), _) => Way::File(file),
            (None, Some(url)) => Way::Url(url),
            (None, None) => self.command(s, command, config),
        }
    }

    fn command(self, s: &Section, mut words: Vec<String>, config: Option<String>) -> Way {
        if words.is_empty() {
            words.push(self.program().into());
        }
        if words[0].is_empty() {
            s.problem("command", "needs at least a program", None);
        } else if !s.has("file") && !s.has("url") {
            s.names("command", Thing::Program(words[0].clone()));
        }
        words.extend(config.map(|config| format!("--config={config}")));
        Way::Command(words)
    }
}

fn archive(s: &mut Section, kind: ToolKind) -> Option<Way> {
    let what = match kind {
        ToolKind::PgBackRest => {
            "Beside `file` or `url`: where the answer to `repo-ls --recurse --output=json archive/STANZA` is written."
        }
        _ => "Beside `file` or `url`: where the answer to `wal-show --detailed-json` is written.",
    };
    let file = s.optional_path("archive_file", what);
    let url = s.parsed("archive_url", "url", "", "The same at an address.", address);
    if (file.is_some() || url.is_some()) && !s.has("file") && !s.has("url") {
        let key = if file.is_some() {
            "archive_file"
        } else {
            "archive_url"
        };
        s.problem(
            key,
            "goes with `file` or `url`; a command is asked for the archive, too",
            None,
        );
    }
    file.map(Way::File).or(url.map(Way::Url))
}

fn subject(s: &mut Section, key: &str, doc: &str) -> String {
    let found = s.parsed(key, "text", "", doc, plain_name);
    if !s.has(key) && !s.has(&format!("{key}_file")) {
        s.problem(key, format!("`{key}` is missing"), Some(doc));
    }
    found.unwrap_or_default()
}

/// It becomes a word of a command and part of a path there.
fn plain_name(text: &str) -> Result<String, String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    if !text.is_empty() && !text.starts_with(['-', '.']) && text.chars().all(is_plain) {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "`{text}` is no name; use letters, digits, `_`, `-` and `.`"
        ))
    }
}

fn repository(text: &str) -> Result<u64, String> {
    let number = text
        .parse()
        .ok()
        .filter(|number| (1..=256).contains(number));
    number.ok_or_else(|| format!("`{text}` is no number of a repository, which is 1 to 256"))
}

fn address(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("is no address: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("must begin with `http://` or `https://`".into());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must be readable without a password".into());
    }
    Ok(url)
}

#[cfg(test)]
mod tests;
