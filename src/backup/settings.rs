//! `backups:` in the configuration.

use std::path::{Path, PathBuf};
use std::time::Duration;

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
    /// Where the files lie.
    pub files: Files,
    /// How often a backup is promised.
    pub every: Duration,
    /// How much later than promised a backup may come.
    pub grace: Duration,
    /// How long backups are promised to be kept.
    pub keep: Option<Duration>,
    /// How often the folder is looked at.
    pub look: Duration,
    /// Bytes per second at which new files are read to judge them.
    pub verify_rate: u64,
}

/// A folder, and which of its files are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// The folder itself; folders below it are not searched.
    pub folder: PathBuf,
    /// A file name in which `*` and `?` match.
    pub pattern: String,
}

impl Settings {
    /// Reads the list `backups` of the root section.
    pub fn read(root: &mut Section) -> Vec<Settings> {
        let mut names: Vec<String> = Vec::new();
        root.list("backups", "Where backups should appear.", |s| {
            let settings = Settings::read_one(s);
            if !settings.name.is_empty() && names.contains(&settings.name) {
                let message = format!("`{}` is the name of another backup", settings.name);
                s.problem("name", message, Some("give each its own name"));
            }
            names.push(settings.name.clone());
            settings
        })
    }

    fn read_one(s: &mut Section) -> Settings {
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
            files: s
                .parsed(
                    "files",
                    "path",
                    "",
                    "A folder, or a folder and a file name in which `*` and `?` match.",
                    files,
                )
                .unwrap_or_else(|| Files {
                    folder: PathBuf::new(),
                    pattern: "*".into(),
                }),
            every: s.duration("every", "1d", "How often a backup is promised."),
            grace: s.duration(
                "grace",
                "6h",
                "How much later than promised a backup may come.",
            ),
            keep: s.optional_duration("keep", "How long backups are promised to be kept."),
            look: s.duration("look", "5m", "How often the folder is looked at."),
            verify_rate: s.bytes(
                "verify_rate",
                "50MiB",
                "Bytes per second at which new files are read to judge them.",
            ),
        };
        settings.check(s);
        settings
    }

    fn check(&self, s: &Section) {
        if !s.has("name") && !s.has("name_file") {
            s.problem(
                "name",
                "`name` is missing",
                Some("a short name such as `nightly`"),
            );
        }
        if !s.has("files") && !s.has("files_file") {
            let hint = "where the dumps are, such as `/backups/rachel/rachel_*.sql.gz`";
            s.problem("files", "`files` is missing", Some(hint));
        }
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

fn files(text: &str) -> Result<Files, String> {
    if let Some((scheme, _)) = text.split_once("://") {
        return Err(format!(
            "`{scheme}://` is not supported; name a local folder"
        ));
    }
    let matches = |part: &Path| part.to_string_lossy().contains(['*', '?']);
    let path = Path::new(text);
    let folder = match path.parent() {
        Some(parent) if matches(parent) => {
            return Err(format!("`{text}`: `*` and `?` match in the file name only"));
        }
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => path,
    };
    match path.file_name().and_then(|last| last.to_str()) {
        Some(last) if matches(Path::new(last)) => Ok(Files {
            folder: folder.into(),
            pattern: last.into(),
        }),
        _ => Ok(Files {
            folder: path.into(),
            pattern: "*".into(),
        }),
    }
}

#[cfg(test)]
mod tests;
