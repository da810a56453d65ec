//! What `make lab` has installed, and where.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The folder of the downloads, as `scripts/lab.sh --where` prints it.
pub fn folder() -> PathBuf {
    if let Some(chosen) = std::env::var_os("PGVIGIL_LAB") {
        return chosen.into();
    }
    if super::scratch::is_root() {
        return "/var/cache/pgvigil-lab".into();
    }
    let cache = std::env::var_os("XDG_CACHE_HOME").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").expect("HOME")).join(".cache"),
        PathBuf::from,
    );
    cache.join("pgvigil-lab")
}

/// The home (with `bin`, perhaps `lib`) of a PostgreSQL major.
pub fn postgresql(major: u32) -> PathBuf {
    homes(major)
        .into_iter()
        .find(|home| home.join("bin/postgres").exists())
        .unwrap_or_else(|| panic!("PostgreSQL {major} is not installed: run `make lab`"))
}

fn homes(major: u32) -> [PathBuf; 2] {
    [
        folder().join("postgresql").join(major.to_string()),
        Path::new("/usr/lib/postgresql").join(major.to_string()),
    ]
}

/// The PostgreSQL majors that are installed, ascending.
pub fn majors() -> Vec<u32> {
    (13..=18)
        .filter(|major| {
            homes(*major)
                .iter()
                .any(|home| home.join("bin/postgres").exists())
        })
        .collect()
}

/// A program such as `promtool`, `prometheus`, `alertmanager`, `amtool`, `cargo-deny` or the lab's `python3`.
pub fn tool(name: &str) -> PathBuf {
    // Debian's name for it.
    let name = if name == "alertmanager" {
        "prometheus-alertmanager"
    } else {
        name
    };
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::iter::once(folder().join("tools/bin"))
        .chain(std::env::split_paths(&path))
        .chain([PathBuf::from("/usr/sbin")])
        .map(|directory| directory.join(name))
        .find(|program| program.is_file())
        .unwrap_or_else(|| panic!("`{name}` is not installed: run `make lab`"))
}

/// The folder that an environment variable names; says that the test is skipped when it names none.
pub fn fixtures(variable: &str) -> Option<PathBuf> {
    let folder = std::env::var_os(variable)
        .filter(|value| !value.is_empty())
        .map(PathBuf::from);
    if folder.is_none() {
        eprintln!("skipped: {variable} is not set");
    }
    folder
}

/// What `promtool check metrics` says of a page, line by line; panics when it cannot even read it.
pub fn lint(page: &str) -> Vec<String> {
    let mut child = Command::new(tool("promtool"))
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(page.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    // 3 says that the page can be read and something about it is unusual.
    assert!(matches!(output.status.code(), Some(0 | 3)), "{said}");
    said.lines().map(str::to_owned).collect()
}
