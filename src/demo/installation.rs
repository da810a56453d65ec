//! Finds the PostgreSQL that is installed here, and the user its server may run as.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::bail;
use rustix::process::geteuid;

/// The programs of one PostgreSQL.
pub(super) struct Installation {
    bin: PathBuf,
}

impl Installation {
    /// `PGVIGIL_DEMO_PGBIN`, else the newest of what `PATH`, `pg_config` and the usual folders hold.
    pub(super) fn find() -> anyhow::Result<Installation> {
        if let Some(chosen) = env::var_os("PGVIGIL_DEMO_PGBIN").map(PathBuf::from) {
            if !is_complete(&chosen) {
                bail!(
                    "`PGVIGIL_DEMO_PGBIN` is `{}`, which lacks `initdb`, `postgres` or `pg_dump`",
                    chosen.display()
                );
            }
            return Ok(Installation { bin: chosen });
        }
        let newest = candidates()
            .into_iter()
            .filter(|bin| is_complete(bin))
            .max_by_key(|bin| major(bin));
        match newest {
            Some(bin) => Ok(Installation { bin }),
            None => bail!(
                "no PostgreSQL server is installed here, neither on `PATH` nor in `/usr/lib/postgresql`\n\
                 hint: `apt-get install postgresql`, or name the folder of `initdb` and `postgres` in `PGVIGIL_DEMO_PGBIN`"
            ),
        }
    }

    /// One of its programs, ready to run as the server's user, with nothing of libpq's environment.
    pub(super) fn command(&self, program: &str) -> tokio::process::Command {
        let mut command = tokio::process::Command::new(self.bin.join(program));
        for (name, _) in env::vars_os() {
            if name.to_str().is_some_and(|name| name.starts_with("PG")) {
                command.env_remove(name);
            }
        }
        // An installation beside the system's brings its own libraries.
        let libraries = self.bin.with_file_name("lib");
        if libraries.join("libpq.so.5").exists() {
            command.env("LD_LIBRARY_PATH", libraries);
        }
        if let Some((user, group)) = server_user() {
            command.uid(user).gid(group);
        }
        command.current_dir("/");
        command
    }

    /// Whether a module can be preloaded.
    pub(super) fn has_module(&self, name: &str) -> bool {
        let library = format!("{name}.so");
        let folders = ["lib", "lib/postgresql"];
        folders
            .iter()
            .any(|folder| self.bin.with_file_name(folder).join(&library).exists())
    }
}

/// The user and group of `nobody` when we are root, whom PostgreSQL's server refuses.
pub(super) fn server_user() -> Option<(u32, u32)> {
    if !geteuid().is_root() {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let nobody = users.lines().find_map(|line| {
        let mut fields = line.strip_prefix("nobody:")?.split(':').skip(1);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    });
    Some(nobody.unwrap_or((65534, 65534)))
}

fn candidates() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> =
        env::split_paths(&env::var_os("PATH").unwrap_or_default()).collect();
    if let Ok(answer) = Command::new("pg_config").arg("--bindir").output() {
        folders.push(String::from_utf8_lossy(&answer.stdout).trim().into());
    }
    for (parent, prefix) in [
        ("/usr/lib/postgresql", ""),
        ("/usr", "pgsql-"),
        ("/opt/homebrew/opt", "postgresql"),
    ] {
        let entries = fs::read_dir(parent).into_iter().flatten().flatten();
        let named = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix));
        folders.extend(named.map(|entry| entry.path().join("bin")));
    }
    folders
}

fn is_complete(bin: &Path) -> bool {
    ["initdb", "postgres", "pg_dump"]
        .iter()
        .all(|program| bin.join(program).is_file())
}

fn major(bin: &Path) -> u32 {
    let answer = Command::new(bin.join("postgres")).arg("--version").output();
    answer.map_or(0, |answer| {
        parse_major(&String::from_utf8_lossy(&answer.stdout))
    })
}

fn parse_major(version: &str) -> u32 {
    let number = version.split_whitespace().find_map(|word| {
        word.split(|c: char| !c.is_ascii_digit())
            .next()?
            .parse()
            .ok()
    });
    number.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn majors_are_read() {
        for (version, major) in [
            ("postgres (PostgreSQL) 18.4", 18),
            ("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", 15),
            ("postgres (PostgreSQL) 19devel", 19),
            ("", 0),
        ] {
            assert_eq!(parse_major(version), major, "{version}");
        }
    }
}
