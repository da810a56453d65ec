//! A repository of pgBackRest: restored by the tool, replayed through its own archive.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::Command;

use super::{Scene, connections, succeed};
use crate::harness::{Postgres, is_root};

#[test]
fn a_repository_of_pgbackrest_is_restored() {
    let program = Command::new("pgbackrest").arg("version").output();
    assert!(
        program.is_ok(),
        "pgbackrest is not installed: run `make lab`"
    );
    let drill = "assert: ['SELECT count(*) = 2 FROM notes']";
    let scene = Scene::new(
        "pgbackrest: {stanza: main, config: '{here}/pgbackrest.conf'}",
        drill,
    );
    let config = scene.scratch.join("pgbackrest.conf");
    let push = format!(
        "archive_command=pgbackrest --config={} --stanza=main archive-push %p",
        config.display()
    );
    let postgres = Postgres::with(15, &["archive_mode=on", &push, "log_connections=on"]);
    for folder in ["repo", "log", "lock", "spool"] {
        fs::create_dir(scene.scratch.join(folder)).unwrap();
        fs::set_permissions(scene.scratch.join(folder), PermissionsExt::from_mode(0o777)).unwrap();
    }
    let text = format!(
        "[global]\nrepo1-path={0}/repo\nlog-path={0}/log\nlock-path={0}/lock\nspool-path={0}/spool\nstart-fast=y\narchive-timeout=60\n[main]\npg1-path={1}/data\npg1-socket-path={1}\npg1-port={2}\npg1-user=postgres\n",
        scene.scratch.path().display(),
        postgres.dir().display(),
        postgres.port()
    );
    fs::write(&config, text).unwrap();
    let tool = |arguments: &[&str]| {
        let mut command = Command::new("pgbackrest");
        if is_root() {
            command.uid(65534).gid(65534);
        }
        command
            .arg(format!("--config={}", config.display()))
            .arg("--stanza=main")
            .args(arguments)
            .current_dir("/");
        succeed(&mut command);
    };
    tool(&["stanza-create"]);
    postgres.sql(
        "postgres",
        "CREATE TABLE notes (note text); INSERT INTO notes VALUES ('a');",
    );
    tool(&["--type=full", "backup"]);
    postgres.sql("postgres", "INSERT INTO notes VALUES ('b');");
    tool(&["check"]);
    let seen = connections(&postgres);
    let report = scene.restored(&[]);
    assert_eq!(
        (&report["kind"], &report["major"]),
        (&"full".into(), &15.into()),
        "{report:#}"
    );
    assert_eq!(
        connections(&postgres),
        seen,
        "the live server was not spoken to"
    );
    scene.assert_tidy();
}
