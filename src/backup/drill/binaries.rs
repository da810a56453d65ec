//! Finds the programs of PostgreSQL, by major version.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::failure::Failure;

/// The programs of one major version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Installation {
    pub(super) major: u32,
    bin: PathBuf,
    /// Where clients are that this one lacks: those of a newer one.
    clients: PathBuf,
}

impl Installation {
    /// The path of one of its programs, which may be missing.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        let own = self.bin.join(name);
        if own.is_file() {
            own
        } else {
            self.clients.join(name)
        }
    }

    /// Whether it has a program.
    pub(super) fn has(&self, name: &str) -> bool {
        self.program(name).is_file()
    }

    /// An installation beside the system's brings its own libraries.
    pub(super) fn libraries(&self, program: &Path) -> Option<PathBuf> {
        let libraries = program.parent()?.with_file_name("lib");
        libraries.join("libpq.so.5").exists().then_some(libraries)
    }
}

/// Which majors will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needed {
    /// This one or a newer one.
    AtLeast(u32),
    /// This one alone.
    Exactly(u32),
}

/// The oldest installation that will do.
pub(super) fn find(extra: &[PathBuf], needed: Needed) -> Result<Installation, Failure> {
    let mut found: Vec<(u32, PathBuf)> = folders(extra)
        .into_iter()
        .filter(|bin| {
            ["initdb", "postgres"]
                .iter()
                .all(|name| bin.join(name).is_file())
        })
        .map(|bin| (major(&bin), bin))
        .collect();
    found.sort_by_key(|(major, _)| *major);
    choose(&found, needed, |bin| bin.join("psql").is_file()).ok_or_else(|| {
        let wanted = match needed {
            Needed::AtLeast(0) => "no PostgreSQL server".into(),
            Needed::AtLeast(major) => format!("no PostgreSQL server of major {major} or newer"),
            Needed::Exactly(major) => format!("no PostgreSQL server of major {major}"),
        };
        Failure::Impossible(format!(
            "{wanted} is installed here; install one (it need not be started), or name the folder of `initdb` and `postgres` in `binaries`"
        ))
    })
}

fn choose(
    found: &[(u32, PathBuf)],
    needed: Needed,
    has_clients: impl Fn(&Path) -> bool,
) -> Option<Installation> {
    let (major, bin) = found.iter().find(|(major, _)| match needed {
        Needed::AtLeast(least) => *major >= least,
        Needed::Exactly(exact) => *major == exact,
    })?;
    let newer = found
        .iter()
        .find(|(other, bin)| other >= major && has_clients(bin));
    let (_, clients) = newer.or_else(|| found.iter().rfind(|(_, bin)| has_clients(bin)))?;
    Some(Installation {
        major: *major,
        bin: bin.clone(),
        clients: clients.clone(),
    })
}

fn folders(extra: &[PathBuf]) -> Vec<PathBuf> {
    let mut folders = extra.to_vec();
    folders.extend(std::env::split_paths(
        &std::env::var_os("PATH").unwrap_or_default(),
    ));
    for (parent, prefix) in [("/usr/lib/postgresql", ""), ("/usr", "pgsql-")] {
        let entries = std::fs::read_dir(parent).into_iter().flatten().flatten();
        let named = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix));
        folders.extend(named.map(|entry| entry.path().join("bin")));
    }
    folders
}

fn major(bin: &Path) -> u32 {
    let mut command = Command::new(bin.join("postgres"));
    command.arg("--version").stdin(Stdio::null());
    let said = command
        .output()
        .map(|output| output.stdout)
        .unwrap_or_default();
    let said = String::from_utf8_lossy(&said).into_owned();
    said.split_whitespace().find_map(read_major).unwrap_or(0)
}

/// The major of a version such as `15.18` or `19devel`.
pub(super) fn read_major(version: &str) -> Option<u32> {
    let digits = version.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_that_will_do_is_chosen() {
        let found: Vec<(u32, PathBuf)> = [13, 15, 17]
            .map(|major| (major, PathBuf::from(format!("/{major}"))))
            .into();
        let clients = |bin: &Path| bin != Path::new("/13");
        let cases = [
            (Needed::AtLeast(0), Some((13, "/15"))),
            (Needed::AtLeast(14), Some((15, "/15"))),
            (Needed::AtLeast(16), Some((17, "/17"))),
            (Needed::Exactly(15), Some((15, "/15"))),
            (Needed::Exactly(16), None),
            (Needed::AtLeast(18), None),
        ];
        for (needed, expected) in cases {
            let chosen = choose(&found, needed, clients);
            let chosen = chosen
                .as_ref()
                .map(|chosen| (chosen.major, chosen.clients.to_str().unwrap()));
            assert_eq!(chosen, expected, "{needed:?}");
        }
    }

    #[test]
    fn majors_are_read() {
        for (version, major) in [
            ("18.4", Some(18)),
            ("19devel", Some(19)),
            ("postgres", None),
            ("", None),
        ] {
            assert_eq!(read_major(version), major, "{version}");
        }
    }
}
