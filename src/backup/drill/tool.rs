//! How each tool restores a backup into a folder, and brings a file of WAL, unless the configuration says otherwise.
//! In the words, `{backup}`, `{folder}`, `{tablespaces}`, `{locks}`, `{file}`, `{path}` and `{directory}` are replaced.

use std::path::Path;

use super::failure::Failure;
use super::settings::Settings;
use crate::backup::settings::{Place, Tool, ToolKind, Way};
use crate::backup::user::ourselves;

/// What is run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Words {
    /// Shows a backup, where that must be looked at first.
    pub(super) show: Vec<String>,
    /// Restores a backup into a folder.
    pub(super) restore: Vec<String>,
    /// Brings a file of WAL.
    pub(super) fetch_wal: Vec<String>,
    /// It is Barman that restores, in its own words, and it does not stay root.
    is_barman: bool,
}

impl Words {
    /// Whether a program is known that restores, and could: Barman becomes the user that it is set to, or was started as,
    /// who may not write into what is root's.
    pub(super) fn check(&self) -> Result<(), Failure> {
        if self.is_barman && rustix::process::geteuid().is_root() {
            let words = "Barman does not stay root but becomes the user that it is set to (`barman_user`), who may not write into the folder of a drill; run pgvigil as that user, run the drill alone with `runuser -u barman -- pgvigil backup drill`, or name in `restore` of the drill a program that may";
            return Err(Failure::Impossible(words.into()));
        }
        if self.restore.is_empty() {
            let words = "no program is known that restores such a backup; name one in `restore` of the drill";
            return Err(Failure::Impossible(words.into()));
        }
        Ok(())
    }
}

/// What is run for a place: what is configured, else what its tool understands.
pub(super) fn words(place: &Place, settings: &Settings) -> Words {
    let mut words = match place {
        Place::Tool(tool) => of(tool),
        Place::Files(_) => Words::default(),
    };
    if !settings.restore.is_empty() {
        words.restore.clone_from(&settings.restore);
        (words.show, words.is_barman) = (Vec::new(), false);
    }
    if !settings.fetch_wal.is_empty() {
        words.fetch_wal.clone_from(&settings.fetch_wal);
    }
    words
}

fn of(tool: &Tool) -> Words {
    let Way::Command(command) = &tool.way else {
        return Words::default();
    };
    let subject = &tool.subject;
    let run = |words: &[&str]| -> Vec<String> {
        let words = words.iter().map(|word| word.replace("{subject}", subject));
        command.iter().cloned().chain(words).collect()
    };
    match tool.kind {
        ToolKind::PgBackRest => {
            let mut common = vec![
                "--stanza={subject}".to_owned(),
                "--lock-path={locks}".into(),
                "--log-level-file=off".into(),
                "--pg1-path={folder}".into(),
            ];
            common.extend(tool.repository.map(|number| format!("--repo={number}")));
            let with = |more: &[&'static str]| {
                let all: Vec<&str> = common
                    .iter()
                    .map(String::as_str)
                    .chain(more.iter().copied())
                    .collect();
                run(&all)
            };
            Words {
                // Neither tablespaces nor links go where they were: that may be this machine.
                restore: with(&[
                    "--set={backup}",
                    "--type=none",
                    "--tablespace-map-all={tablespaces}",
                    "restore",
                ]),
                fetch_wal: with(&["archive-get", "{file}", "{path}"]),
                ..Words::default()
            }
        }
        ToolKind::Barman => Words {
            show: run(&["show-backup", "{subject}", "{backup}"]),
            restore: run(&["recover", "{subject}", "{backup}", "{folder}"]),
            fetch_wal: run(&[
                "get-wal",
                "--output-directory",
                "{directory}",
                "{subject}",
                "{file}",
            ]),
            is_barman: true,
        },
        ToolKind::WalG => Words {
            restore: run(&["backup-fetch", "{folder}", "{backup}"]),
            fetch_wal: run(&["wal-fetch", "{file}", "{path}"]),
            ..Words::default()
        },
    }
}

/// What a program is not let do says nothing about the backup.
pub(super) fn not_let(failure: Failure, words: &[String], log: &Path) -> Failure {
    let said = std::fs::read(log).unwrap_or_default();
    let said = String::from_utf8_lossy(&said);
    let denial = said.lines().find(|line| line.contains("ermission denied"));
    let (Failure::Bad(_), Some(denial)) = (&failure, denial) else {
        return failure;
    };
    let denial: String = denial
        .trim()
        .chars()
        .filter(|c| !c.is_control())
        .take(300)
        .collect();
    let program = words.first().map_or("", String::as_str);
    let way_out = format!(
        "let the user `{}`, as whom pgvigil runs, do that, or name in `restore` of the drill a program that may",
        ourselves()
    );
    Failure::Impossible(format!("`{program}` says: {denial}; {way_out}"))
}

/// Puts values in the places of their names.
pub(super) fn fill(words: &[String], values: &[(&str, &str)]) -> Vec<String> {
    let fill_one = |word: &String| {
        // In one pass: a value is never looked through for names.
        let (mut filled, mut rest) = (String::new(), word.as_str());
        while let Some(at) = rest.find('{') {
            filled += &rest[..at];
            rest = &rest[at..];
            let found = values.iter().find_map(|(name, value)| {
                let after = rest
                    .strip_prefix('{')?
                    .strip_prefix(name)?
                    .strip_prefix('}')?;
                Some((*value, after))
            });
            let (value, after) = found.unwrap_or(("{", &rest[1..]));
            filled += value;
            rest = after;
        }
        filled + rest
    };
    words.iter().map(fill_one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_put_in_once() {
        let words = ["a={x}{y}".to_owned(), "{z} {".to_owned()];
        assert_eq!(
            fill(&words, &[("x", "{y}"), ("y", "2")]),
            ["a={y}2", "{z} {"]
        );
    }
}
