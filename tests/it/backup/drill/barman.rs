//! A catalogue of Barman: restored by the tool, replayed from its own archive.

use super::{PATIENCE, Scene, connections};
use crate::backup::tools::{BarmanHome, run};
use crate::harness::{eventually, give_to_server, is_root, server_user};

#[test]
fn a_catalogue_of_barman_is_restored() {
    let home = BarmanHome::start();
    let postgres = &home.postgres;
    postgres.sql(
        "postgres",
        "CREATE TABLE notes (note text); INSERT INTO notes VALUES ('a'); SELECT pg_switch_wal();",
    );
    let incoming = home.scratch.join("home/m/incoming");
    let first = incoming.join("000000010000000000000001");
    eventually("WAL has come", PATIENCE, || first.exists().then_some(()));
    run(&mut home.barman("good", &["archive-wal", "m"]));
    run(&mut home.barman("good", &["backup", "m"]));
    let segment = postgres.sql(
        "postgres",
        "INSERT INTO notes VALUES ('b'); SELECT pg_walfile_name(pg_current_wal_insert_lsn()); SELECT pg_switch_wal();",
    );
    let last = incoming.join(segment.lines().next().unwrap());
    eventually("the last WAL has come", PATIENCE, || {
        last.exists().then_some(())
    });
    run(&mut home.barman("good", &["archive-wal", "m"]));
    let source = format!(
        "barman: {{server: m, config: '{}', home: '{}'}}",
        home.scratch.join("good.conf").display(),
        home.scratch.join("home").display()
    );
    let scene = Scene::new(&source, "assert: ['SELECT count(*) = 2 FROM notes']");
    let seen = connections(postgres);
    if is_root() {
        give_to_server(scene.scratch.path());
        let (code, why) = scene.why(&[]);
        assert_eq!(code, 2, "{why}");
        assert!(why.contains("Barman does not stay root"), "{why}");
        // Nor does it when somebody else starts it for root.
        let config = home.scratch.join("good.conf");
        let started = format!(
            "barman: {{server: m, command: [env, barman, -c, '{}']}}",
            config.display()
        );
        let other = Scene::new(&started, "");
        let (code, why) = other.why(&[]);
        assert_eq!(code, 2, "{why}");
        assert!(why.contains("Barman does not stay root"), "{why}");
    }
    // Barman becomes the user that it is set to, who could not write into what is another's.
    let (code, report) = scene.drill_as(server_user(), &[]);
    assert_eq!(code, 0, "{report:#}");
    assert_eq!(
        (&report["kind"], &report["major"]),
        (&"full".into(), &15.into()),
        "{report:#}"
    );
    assert_eq!(connections(postgres), seen, "the live server was spoken to");
    scene.assert_tidy();
}
