//! Restores a dump of any form into an empty cluster.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::PathBuf;

use super::binaries::{Needed, read_major};
use super::cluster::{Bench, Cluster, SUPERUSER};
use super::failure::{Failure, refused};
use super::fetch;
use super::roles::{Needs, needs, quote};
use super::settings::Settings;
use crate::backup::Verdict;
use crate::backup::inspect;
use crate::backup::shelf::{Shape, Shelf};

/// How a dump is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// One file that pg_restore reads.
    Archive,
    /// One file that only one process of pg_restore reads.
    Tape,
    /// A folder that pg_restore reads.
    Folder,
    /// SQL.
    Plain,
}

/// The database that a dump of one is restored into.
const DATABASE: &str = "restored";

impl Form {
    /// What reading it showed.
    pub(super) fn of(verdict: &Verdict) -> Option<Form> {
        let forms = [
            ("custom archive", Form::Archive),
            ("tar archive", Form::Tape),
            ("directory dump", Form::Folder),
            ("plain dump", Form::Plain),
        ];
        let found = forms
            .iter()
            .find(|(name, _)| verdict.format.starts_with(name));
        found.map(|(_, form)| *form)
    }

    /// The major that can restore it: no older than the server it is of, nor than the pg_dump that wrote it.
    pub(super) fn needed(self, shelf: &dyn Shelf, name: &str, verdict: &Verdict) -> Needed {
        let of = |version: &Option<String>| version.as_deref().and_then(read_major);
        let dumper = match self {
            Form::Plain => dumper(shelf, name),
            Form::Archive | Form::Tape | Form::Folder => of(&verdict.dumper_version),
        };
        Needed::AtLeast(of(&verdict.server_version).max(dumper).unwrap_or(0))
    }
}

/// The major of the pg_dump that wrote a plain dump: it may set what older servers do not know.
fn dumper(shelf: &dyn Shelf, name: &str) -> Option<u32> {
    let mut head = Vec::new();
    let content = inspect::content(shelf, name).ok()?;
    content.take(HEAD).read_to_end(&mut head).ok()?;
    let head = String::from_utf8_lossy(&head);
    let version = head.split_once("\n-- Dumped by pg_dump version ")?.1;
    read_major(version)
}

/// Of a plain dump, so much is its head.
const HEAD: u64 = 256 << 10;

/// A dump in the folder of the drill.
#[derive(Debug)]
pub(super) struct Fetched {
    form: Form,
    path: PathBuf,
}

/// Brings a dump here.
pub(super) fn fetch(
    bench: &Bench,
    shelf: &dyn Shelf,
    name: &str,
    form: Form,
) -> Result<Fetched, Failure> {
    let path = bench.folder.ours("dump");
    if form == Form::Folder {
        // pg_restore reads it as whoever runs the cluster, who may not read a folder of mode 0700 that is ours.
        let path = bench.folder.data().with_file_name("dump");
        fetch::folder(shelf, name, &path, bench.limits)?;
        bench
            .folder
            .hand_over()
            .map_err(refused("cannot hand the dump over"))?;
        return Ok(Fetched { form, path });
    }
    let is_file = shelf
        .stand(name)
        .is_ok_and(|item| item.shape == Shape::File);
    if !is_file {
        return Err(Failure::Bad(format!("`{name}` is gone")));
    }
    fetch::file(shelf, name, &path, bench.limits)?;
    bench
        .share(&path)
        .map_err(refused("cannot hand the dump over"))?;
    Ok(Fetched { form, path })
}

/// What now holds a dump.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Restored {
    /// The database; none when it was a whole cluster.
    pub(super) database: Option<String>,
    /// How many tables and constraints the table of contents lists, where there is one.
    pub(super) listed: Option<(u64, u64)>,
}

/// Restores it.
pub(super) fn restore(
    bench: &Bench,
    cluster: &Cluster,
    dump: &Fetched,
    settings: &Settings,
) -> Result<Restored, Failure> {
    let needs = if dump.form == Form::Plain {
        named(&dump.path)?
    } else {
        defined(bench, dump)?
    };
    let mut prelude: String = needs
        .roles
        .iter()
        .filter(|role| *role != SUPERUSER)
        .map(|role| format!("CREATE ROLE {} NOLOGIN;\n", quote(role)))
        .collect();
    if needs.is_cluster {
        cluster.run("postgres", &dump.path)?;
        return Ok(Restored::default());
    }
    let encoding = if needs.is_ascii {
        " ENCODING 'SQL_ASCII'"
    } else {
        ""
    };
    prelude += &format!("CREATE DATABASE {DATABASE} TEMPLATE template0{encoding};\n");
    let file = bench.write("prelude.sql", &prelude)?;
    cluster.run("postgres", &file)?;
    if dump.form == Form::Plain {
        cluster.run(DATABASE, &dump.path)?;
    } else {
        let mut restore = cluster.client("pg_restore", DATABASE);
        restore = restore.args([
            "--no-owner",
            "--no-acl",
            "--exit-on-error",
            "--no-subscriptions",
            "--no-tablespaces",
            "--no-password",
        ]);
        if dump.form != Form::Tape {
            restore = restore.arg("--jobs").arg(settings.jobs.to_string());
        }
        bench.succeed(
            "pg_restore",
            restore.arg("--dbname").arg(DATABASE).arg(&dump.path),
        )?;
    }
    let listed = if dump.form == Form::Plain {
        None
    } else {
        Some(listed(bench, dump)?)
    };
    Ok(Restored {
        database: Some(DATABASE.into()),
        listed,
    })
}

fn named(path: &std::path::Path) -> Result<Needs, Failure> {
    let open = File::open(path).and_then(|file| needs(BufReader::with_capacity(256 << 10, file)));
    open.map_err(refused("cannot read the dump again"))
}

/// How many tables and constraints the table of contents lists.
fn listed(bench: &Bench, dump: &Fetched) -> Result<(u64, u64), Failure> {
    bench.succeed(
        "list",
        bench.program("pg_restore").arg("--list").arg(&dump.path),
    )?;
    let list = std::fs::read_to_string(bench.log("list")).unwrap_or_default();
    Ok(count(&list))
}

/// Lines are `id; catalogue oid DESCRIPTION schema name owner`.
fn count(list: &str) -> (u64, u64) {
    let (mut tables, mut constraints) = (0, 0);
    let lines = list.lines().filter(|line| !line.starts_with(';'));
    for entry in lines.filter_map(|line| line.splitn(4, ' ').nth(3)) {
        let is_table = entry.starts_with("TABLE ")
            && !entry.starts_with("TABLE DATA ")
            && !entry.starts_with("TABLE ATTACH ");
        tables += u64::from(is_table);
        constraints +=
            u64::from(entry.starts_with("CONSTRAINT ") || entry.starts_with("FK CONSTRAINT "));
    }
    (tables, constraints)
}

/// What the definitions in an archive name, asked of pg_restore itself.
fn defined(bench: &Bench, dump: &Fetched) -> Result<Needs, Failure> {
    let restore = bench.program("pg_restore");
    let restore = restore
        .args(["--schema-only", "--no-owner", "--no-acl", "--file", "-"])
        .arg(&dump.path);
    bench.succeed("definitions", restore)?;
    named(&bench.log("definitions"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_table_of_contents_lists_is_counted() {
        let list = ";\n; Archive created at 2026-11-23\n;\n215; 1259 16386 TABLE public users postgres\n\
            3364; 0 16386 TABLE DATA public users postgres\n3211; 2606 16393 CONSTRAINT public users users_pkey postgres\n\
            3214; 2606 16400 FK CONSTRAINT public games games_user_fkey postgres\n3; 0 0 TABLE ATTACH public p1 postgres\n";
        assert_eq!(count(list), (1, 2));
    }
}
