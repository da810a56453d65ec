//! Restore drills by the built program, on real servers: what is restored, what is refused, and what is left behind.

mod barman;
mod bucket;
mod dumps;
mod ending;
mod network;
mod pgbackrest;
mod physical;
mod safety;
mod target;
mod watch;

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::harness::{self, Postgres, Scratch, majors};

/// A machine under load restores slowly, at the lowest priority.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// A source, its drill, and the folders they use.
pub struct Scene {
    pub scratch: Scratch,
    config: PathBuf,
}

impl Scene {
    /// `source` and `drill` are settings as YAML writes them between braces; the source is named `nightly`.
    pub fn new(source: &str, drill: &str) -> Scene {
        Scene::of("postgresql://nobody@127.0.0.1:1/none", source, drill)
    }

    pub fn of(url: &str, source: &str, drill: &str) -> Scene {
        let scratch = Scratch::new();
        let folder = scratch.join("b");
        std::fs::create_dir(&folder).unwrap();
        let source = source.replace("{here}", &scratch.path().display().to_string());
        let text = format!(
            "state_dir: {state}\nservers: [{{name: shop, url: '{url}'}}]\nbackups: [{{name: nightly, look: 1s, {source}}}]\ndrills: [{{source: nightly, work_dir: {work}, binaries: [{binaries}], {drill}}}]\n",
            state = scratch.join("state").display(),
            work = scratch.join("w").display(),
            binaries = binaries().join(", "),
        );
        let config = scratch.write("pgvigil.yml", text);
        Scene { scratch, config }
    }

    /// One whose source is the folder `b`.
    pub fn files(drill: &str) -> Scene {
        Scene::new("files: '{here}/b/*'", drill)
    }

    pub fn put(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        self.scratch.write(format!("b/{name}"), content)
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = harness::pgvigil();
        command.arg("--config").arg(&self.config).args(arguments);
        command
    }

    /// Drills by hand; gives the exit code and the report.
    pub fn drill(&self, arguments: &[&str]) -> (i32, Value) {
        self.drill_as(None, arguments)
    }

    /// The same as another user, to whom the scene is given.
    pub fn drill_as(&self, user: Option<(u32, u32)>, arguments: &[&str]) -> (i32, Value) {
        let mut command = self.command(&["backup", "drill", "--json"]);
        if let Some((user, group)) = user {
            std::os::unix::fs::chown(self.scratch.path(), Some(user), Some(group)).unwrap();
            command.uid(user).gid(group);
        }
        let output = command.args(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let report = serde_json::from_str(&said).unwrap_or_else(|error| {
            let errors = String::from_utf8_lossy(&output.stderr);
            panic!("{error}: {said}\n{errors}")
        });
        (output.status.code().unwrap(), report)
    }

    /// Drills by hand, and all is well.
    pub fn restored(&self, arguments: &[&str]) -> Value {
        let (code, report) = self.drill(arguments);
        assert_eq!(
            (code, &report["outcome"]["how"]),
            (0, &"restored".into()),
            "{report:#}"
        );
        report
    }

    /// Why a drill by hand did not end well, and its exit code.
    pub fn why(&self, arguments: &[&str]) -> (i32, String) {
        let (code, report) = self.drill(arguments);
        let why = report["outcome"]["why"]
            .as_str()
            .unwrap_or_else(|| panic!("{report:#}"));
        (code, why.to_owned())
    }

    /// Nothing of any drill is left.
    pub fn assert_tidy(&self) {
        assert_eq!(self.left(), ["lock"]);
        assert_eq!(processes(&self.scratch.join("w")), Vec::<String>::new());
    }

    /// What lies in the work folder.
    pub fn left(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.scratch.join("w"))
            .into_iter()
            .flatten();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
}

/// The processes that work in a folder or were told of it.
pub fn processes(folder: &Path) -> Vec<String> {
    let text = folder.display().to_string();
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let found = entries.filter_map(|entry| {
        let path = entry.path();
        let id = entry.file_name().to_string_lossy().parse::<u32>().ok()?;
        let words =
            String::from_utf8_lossy(&std::fs::read(path.join("cmdline")).ok()?).replace('\0', " ");
        let works = std::fs::read_link(path.join("cwd")).is_ok_and(|cwd| cwd.starts_with(folder));
        (works || words.contains(&text)).then(|| format!("{id} {words}"))
    });
    found.collect()
}

/// Where the programs of every major are.
pub fn binaries() -> Vec<String> {
    let bin = |major: u32| {
        harness::folder()
            .join(format!("postgresql/{major}/bin"))
            .display()
            .to_string()
    };
    majors().into_iter().map(bin).collect()
}

/// The check whose name begins so.
pub fn check<'r>(report: &'r Value, name: &str) -> &'r Value {
    let checks = report["checks"].as_array().unwrap();
    let found = checks
        .iter()
        .find(|check| check["name"].as_str().unwrap().starts_with(name));
    found.unwrap_or_else(|| panic!("no check `{name}`: {report:#}"))
}

/// Runs a program of a server's to its end.
pub fn succeed(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// How many connections a server that logs them has seen.
pub fn connections(postgres: &Postgres) -> usize {
    let log = std::fs::read_to_string(postgres.dir().join("log")).unwrap();
    log.matches("connection received").count()
}
