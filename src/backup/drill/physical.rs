//! Takes a base backup over as a throw-away cluster, and lets it replay WAL.

mod chain;

use std::fs;
use std::io::Read;
use std::path::Path;

use super::binaries::read_major;
use super::cluster::Bench;
use super::failure::{Failure, refused};
use super::fetch;
use super::folder::Folder;
use super::program::{Limits, Program};
use super::tool;
use crate::backup::inspect;
use crate::backup::shelf::{Shape, Shelf};
use crate::sample::Timestamp;
use chain::{chain, field};

/// How a base backup lies there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A folder that is a data directory.
    Folder,
    /// A folder of tar files.
    Tapes,
}

impl Form {
    /// What a name on a shelf is, when it is a base backup.
    pub(super) fn of(shelf: &dyn Shelf, name: &str) -> Option<Form> {
        let items = fetch::list(shelf, name).ok()?;
        let has = |wanted: &dyn Fn(&str) -> bool| {
            items
                .iter()
                .any(|item| item.shape == Shape::File && wanted(&item.name))
        };
        if has(&|name| name == "PG_VERSION") {
            return Some(Form::Folder);
        }
        has(&|name| is_tape(name, "base")).then_some(Form::Tapes)
    }
}

fn is_tape(name: &str, stem: &str) -> bool {
    let rest = name
        .strip_prefix(stem)
        .and_then(|rest| rest.strip_prefix(".tar"));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// A tablespace's tar file is named by its number.
fn tablespace(name: &str) -> Option<&str> {
    let (number, _) = name.split_once(".tar")?;
    (is_tape(name, number) && number.parse::<u32>().is_ok()).then_some(number)
}

/// Brings a backup here, with all that it is incremental to; gives the folders of the chain, the oldest first.
pub(super) fn fetch(
    shelf: &dyn Shelf,
    name: &str,
    form: Form,
    folder: &Folder,
    limits: &Limits,
) -> Result<Vec<std::path::PathBuf>, Failure> {
    let chain = chain(shelf, name)?;
    if let [only] = chain.as_slice() {
        one(shelf, only, form, &folder.data(), folder, limits)?;
        return Ok(vec![folder.data()]);
    }
    let mut folders = Vec::new();
    for (place, link) in chain.iter().enumerate() {
        let to = folder.data().with_file_name(format!("chain-{place}"));
        let form = Form::of(shelf, link).unwrap_or(form);
        one(shelf, link, form, &to, folder, limits)?;
        folders.push(to);
    }
    Ok(folders)
}

fn one(
    shelf: &dyn Shelf,
    name: &str,
    form: Form,
    to: &Path,
    folder: &Folder,
    limits: &Limits,
) -> Result<(), Failure> {
    if form == Form::Folder {
        return fetch::folder(shelf, name, to, limits);
    }
    let items = fetch::list(shelf, name)
        .map_err(|error| Failure::Bad(format!("`{name}` cannot be listed: {error}")))?;
    fetch::make(to)?;
    let mut map = String::new();
    for item in items.iter().filter(|item| item.shape == Shape::File) {
        let inner = inspect::within(name, &item.name);
        if is_tape(&item.name, "base") {
            fetch::tar(shelf, &inner, to, limits)?;
        } else if is_tape(&item.name, "pg_wal") {
            fetch::make(&to.join("pg_wal"))?;
            fetch::tar(shelf, &inner, &to.join("pg_wal"), limits)?;
        } else if item.name == "backup_manifest" {
            fetch::file(shelf, &inner, &to.join("backup_manifest"), limits)?;
        } else if let Some(number) = tablespace(&item.name) {
            let place = folder.tablespaces().join(number);
            fetch::make(&place)?;
            fetch::tar(shelf, &inner, &place, limits)?;
            map += &format!("{number} {}\n", place.display());
        }
    }
    // The paths in it are those of the server that the backup is of, which may be this very machine.
    if to.join("tablespace_map").exists() || !map.is_empty() {
        fetch::put(&to.join("tablespace_map"), &map)?;
    }
    Ok(())
}

/// Lets a program restore a backup into the folder of the cluster.
pub(super) fn run_tool(
    words: &tool::Words,
    backup: &str,
    folder: &Folder,
    limits: &Limits,
) -> Result<(), Failure> {
    let data = folder.data();
    fetch::make(&data)?;
    fetch::make(&folder.tablespaces())?;
    let (data, tablespaces, locks) = (
        data.display().to_string(),
        folder.tablespaces().display().to_string(),
        folder.ours("locks").display().to_string(),
    );
    let values = [
        ("backup", backup),
        ("folder", data.as_str()),
        ("tablespaces", tablespaces.as_str()),
        ("locks", locks.as_str()),
    ];
    let run = |words: &[String]| -> Result<String, Failure> {
        let words = tool::fill(words, &values);
        let Some((program, arguments)) = words.split_first() else {
            return Ok(String::new());
        };
        let program = Program::new(Path::new(program), None)
            .with_our_environment()
            .args(arguments);
        let log = folder.ours("tool.log");
        let ended = program.succeed(limits, &log);
        ended.map_err(|failure| tool::not_let(failure, &words, &log))
    };
    if !words.show.is_empty() && run(&words.show)?.contains("Tablespaces") {
        // Barman puts them back where they were, which may be this machine.
        return Err(Failure::Impossible("the backup has tablespaces; name in `restore` of the drill how they are restored elsewhere".into()));
    }
    run(&words.restore).map(|_| ())
}

/// The major version of a data directory.
pub(super) fn major(data: &Path) -> Result<u32, Failure> {
    let text = fs::read_to_string(data.join("PG_VERSION")).unwrap_or_default();
    read_major(text.trim())
        .ok_or_else(|| Failure::Bad("has no `PG_VERSION`: it is no base backup".into()))
}

/// The major version that a backup on a shelf says it is of.
pub(super) fn told_major(shelf: &dyn Shelf, name: &str) -> Option<u32> {
    let mut text = String::new();
    let file = shelf.open(&inspect::within(name, "PG_VERSION")).ok()?;
    file.take(16).read_to_string(&mut text).ok()?;
    read_major(text.trim())
}

/// Puts a chain together.
pub(super) fn combine(bench: &Bench, folders: &[std::path::PathBuf]) -> Result<(), Failure> {
    if folders.len() < 2 {
        return Ok(());
    }
    bench
        .folder
        .hand_over()
        .map_err(refused("cannot hand the backup over"))?;
    let combine = bench
        .program("pg_combinebackup")
        .arg("--no-sync")
        .arg("--output")
        .arg(bench.folder.data());
    bench.succeed("pg_combinebackup", combine.args(folders))?;
    for folder in folders {
        fs::remove_dir_all(folder).map_err(refused("cannot make room"))?;
    }
    Ok(())
}

/// What a data directory must have, even where a place knows no empty folders.
const FOLDERS: [&str; 16] = [
    "pg_wal/archive_status",
    "pg_replslot",
    "pg_notify",
    "pg_serial",
    "pg_snapshots",
    "pg_stat",
    "pg_stat_tmp",
    "pg_subtrans",
    "pg_tblspc",
    "pg_twophase",
    "pg_dynshmem",
    "pg_commit_ts",
    "pg_logical/snapshots",
    "pg_logical/mappings",
    "pg_xact",
    "pg_multixact/members",
];

/// Takes from a restored data directory all by which it could reach out or be reached, and gives it to who runs it.
pub(super) fn prepare(bench: &Bench) -> Result<(), Failure> {
    let data = bench.folder.data();
    if !data.join("backup_label").is_file() {
        return Err(Failure::Bad(
            "has no `backup_label`: nothing says from where WAL must be replayed".into(),
        ));
    }
    for name in [
        "standby.signal",
        "recovery.signal",
        "postmaster.pid",
        "postmaster.opts",
    ] {
        let _ = fs::remove_file(data.join(name));
    }
    let slots = fs::read_dir(data.join("pg_replslot"))
        .into_iter()
        .flatten()
        .flatten();
    for slot in slots {
        fs::remove_dir_all(slot.path()).map_err(refused("cannot remove a slot"))?;
    }
    for folder in FOLDERS {
        fetch::make(&data.join(folder))?;
    }
    for name in ["postgresql.conf", "postgresql.auto.conf"] {
        let _ = fs::remove_file(data.join(name));
        fetch::put(&data.join(name), "")?;
    }
    fs::set_permissions(&data, std::os::unix::fs::PermissionsExt::from_mode(0o700))
        .map_err(refused("cannot prepare the cluster"))?;
    Ok(())
}

/// The settings of the server that must not be lower than where the WAL comes from.
pub(super) fn options(bench: &Bench) -> Result<Vec<(&'static str, String)>, Failure> {
    let control = bench
        .program("pg_controldata")
        .arg("-D")
        .arg(bench.folder.data());
    let said = bench.succeed("pg_controldata", control)?;
    let names = [
        ("max_connections", "max_connections setting:"),
        ("max_prepared_transactions", "max_prepared_xacts setting:"),
        ("max_locks_per_transaction", "max_locks_per_xact setting:"),
    ];
    let value = |line: &str| field(&said, line).and_then(|value| value.trim().parse::<u32>().ok());
    Ok(names
        .iter()
        .filter_map(|(name, line)| Some((*name, value(line)?.to_string())))
        .collect())
}

/// A moment as recovery understands it.
pub(super) fn time(moment: Timestamp) -> String {
    moment.rfc3339().replace('T', " ").replace('Z', "+00")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tapes_are_known_by_name() {
        for (name, stem, is) in [
            ("base.tar", "base", true),
            ("base.tar.gz", "base", true),
            ("base.target", "base", false),
            ("database.tar", "base", false),
            ("pg_wal.tar.zst", "pg_wal", true),
        ] {
            assert_eq!(is_tape(name, stem), is, "{name}");
        }
        assert_eq!(tablespace("16400.tar.gz"), Some("16400"));
        assert_eq!(tablespace("base.tar.gz"), None);
        assert_eq!(tablespace("16400.tarot"), None);
    }

    #[test]
    fn a_moment_is_written_for_recovery() {
        assert_eq!(time(Timestamp(1_000)), "1970-01-01 00:00:01.000+00");
    }
}
