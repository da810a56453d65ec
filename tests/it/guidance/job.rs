//! One script, and what came of it.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use pgvigil::backup::{Verdict, verify};

use crate::harness::{Postgres, Scratch, server_user};

/// Where the scripts are.
pub fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/backups"))
}

/// A place in which jobs run: a folder for backups, a log, and stubs that go before the real programs.
pub struct Jobs {
    pub scratch: Scratch,
    variables: Vec<(String, String)>,
    path: String,
}

impl Jobs {
    /// With the clients of a server on the path, set to reach it.
    pub fn of(postgres: &Postgres) -> Jobs {
        let mut jobs = Jobs::without_server();
        jobs.reach(postgres);
        jobs
    }

    /// From now on with the clients of this server, set to reach it.
    pub fn reach(&mut self, postgres: &Postgres) {
        let psql = postgres.command("psql");
        let set = psql.get_envs().filter_map(|(name, value)| {
            let value = value?.to_str()?.to_owned();
            Some((name.to_str()?.to_owned(), value))
        });
        self.variables.extend(set);
        let bin = postgres.bin("pg_dump").parent().unwrap().to_owned();
        // The downloads of other majors may lack some clients.
        let other = Path::new("/usr/lib/postgresql/15/bin");
        self.path = format!("{}:{}:{}", bin.display(), other.display(), self.path);
    }

    pub fn without_server() -> Jobs {
        let scratch = Scratch::new();
        for name in ["backups", "stubs", "bin"] {
            fs::create_dir(scratch.join(name)).unwrap();
        }
        symlink(env!("CARGO_BIN_EXE_pgvigil"), scratch.join("bin/pgvigil")).unwrap();
        let path = std::env::var("PATH").unwrap();
        Jobs {
            variables: vec![
                (
                    "BACKUP_LOG".into(),
                    scratch.join("log").display().to_string(),
                ),
                ("HOME".into(), scratch.path().display().to_string()),
            ],
            path,
            scratch,
        }
    }

    /// The value is mostly made for this call.
    #[allow(clippy::needless_pass_by_value)]
    pub fn set(&mut self, name: &str, value: impl ToString) {
        self.variables.push((name.into(), value.to_string()));
    }

    /// Lets pgvigil be found.
    pub fn with_pgvigil(mut self) -> Jobs {
        self.path = format!("{}:{}", self.scratch.join("bin").display(), self.path);
        self
    }

    /// Puts a program before the real one. `$REAL` is what the path would have found otherwise.
    pub fn stub(&mut self, name: &str, script: &str) {
        let real = std::env::split_paths(&self.path)
            .map(|folder| folder.join(name))
            .find(|path| path.exists());
        let real = real.unwrap_or_default();
        let text = format!("#!/bin/bash\nREAL={}\n{script}\n", real.display());
        let path = self.scratch.write(format!("stubs/{name}"), text);
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    pub fn backups(&self) -> PathBuf {
        self.scratch.join("backups")
    }

    /// A script of `docs/backups` or any other program.
    pub fn command(&self, program: &str) -> Command {
        let own = folder().join(program);
        let program = if own.exists() { own } else { program.into() };
        let mut command = Command::new(program);
        let stubs = self.scratch.join("stubs");
        command
            .env_clear()
            .env("PATH", format!("{}:{}", stubs.display(), self.path))
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(self.scratch.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub fn run(&self, program: &str, arguments: &[&str]) -> Ended {
        Ended::of(&self.command(program).args(arguments).output().unwrap())
    }

    /// Runs it as the servers' user.
    pub fn run_as_server(&self, program: &str, arguments: &[&str]) -> Ended {
        let mut command = self.command(program);
        if let Some((user, group)) = server_user() {
            command.uid(user).gid(group);
        }
        Ended::of(&command.args(arguments).output().unwrap())
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.scratch.join("log")).unwrap_or_default()
    }

    /// The names in the folder of backups, sorted.
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.backups()).unwrap().flatten();
        let mut names: Vec<String> = entries
            .map(|entry| entry.file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// The only dump there is.
    pub fn dump(&self) -> PathBuf {
        let names = self.names();
        let dumps: Vec<&String> = names
            .iter()
            .filter(|name| name.ends_with(".dump"))
            .collect();
        assert_eq!(dumps.len(), 1, "{names:?}");
        self.backups().join(dumps[0])
    }
}

/// How a job ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    pub fn of(output: &Output) -> Ended {
        Ended {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// It went well, and cron has nothing to mail.
    pub fn is_silent(&self) {
        assert_eq!(self.code, Some(0), "{self:?}");
        assert!(self.stdout.is_empty() && self.stderr.is_empty(), "{self:?}");
    }

    pub fn is_good(&self) {
        assert_eq!(self.code, Some(0), "{self:?}");
    }

    /// It failed, and says so on standard error with a line that a probe of logs finds.
    pub fn failed(&self, words: &str) {
        assert!(self.code.is_some_and(|code| code != 0), "{self:?}");
        let line = self.stderr.lines().find(|line| line.contains(" ERROR "));
        assert!(
            line.is_some() && self.stderr.contains(words),
            "{words}: {self:?}"
        );
    }
}

/// What reading a dump says, for those that must be good.
pub fn judged(path: &Path) -> Verdict {
    let verdict = verify(path);
    assert!(verdict.is_good(), "{}: {verdict:?}", path.display());
    verdict
}

/// As `sha256sum` prints it.
pub fn sha256(path: &Path) -> String {
    let output = Command::new("sha256sum").arg(path).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.split(' ').next().unwrap().to_owned()
}
