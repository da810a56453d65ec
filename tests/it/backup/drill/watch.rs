//! Drills on their rhythm: what the page shows, and that a restart neither forgets nor repeats one.

use super::{PATIENCE, Scene};
use crate::harness::{Daemon, Postgres, eventually, free_port};

const DUMP: &str = "--\n-- PostgreSQL database dump\n--\n\n-- Dumped from database version 15.1\n\nCREATE TABLE public.users (id int);\n\nCOPY public.users (id) FROM stdin;\n1\n\\.\n\n--\n-- PostgreSQL database dump complete\n--\n\n";

fn value(port: u16, series: &str) -> Option<f64> {
    let page = reqwest::blocking_get(port)?;
    let line = page.lines().find(|line| line.starts_with(series))?;
    line.rsplit(' ').next()?.parse().ok()
}

/// A page without a client library.
mod reqwest {
    use std::io::{Read, Write};
    use std::net::TcpStream;

    pub fn blocking_get(port: u16) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
        stream
            .write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            .ok()?;
        let mut page = String::new();
        stream.read_to_string(&mut page).ok()?;
        Some(page)
    }
}

fn serve(scene: &Scene) -> (Daemon, u16) {
    let port = free_port();
    let daemon = Daemon::spawn(scene.command(&["--listen", &format!("127.0.0.1:{port}")]));
    (daemon, port)
}

fn reports(scene: &Scene) -> usize {
    std::fs::read_dir(scene.scratch.join("state/drills")).map_or(0, Iterator::count)
}

#[test]
fn the_watch_drills_once_and_remembers() {
    let postgres = Postgres::start(15);
    let drill = "every: 1h, rto: 10m, assert: ['SELECT count(*) = 1 FROM users']";
    let scene = Scene::of(
        &postgres.url("postgres", "postgres"),
        "files: '{here}/b/*'",
        drill,
    );
    let dump = scene.put("1.sql", DUMP);
    let file = std::fs::File::options().write(true).open(dump).unwrap();
    file.set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(100))
        .unwrap();
    let success = "pg_restore_drill_success{source=\"nightly\"}";
    let proof = "pg_backup_proof_timestamp_seconds{proof=\"restored\",source=\"nightly\"}";
    let ended = {
        let (daemon, port) = serve(&scene);
        eventually("the drill is shown", PATIENCE, || {
            (value(port, success) == Some(1.0)).then_some(())
        });
        eventually("the backup is proved", PATIENCE, || {
            value(port, proof).filter(|at| *at > 0.0)
        });
        let says = |series: &str| {
            value(port, series).unwrap_or_else(|| panic!("{series}: {}", daemon.output()))
        };
        assert_eq!(says("pg_backup_recovery_time_objective_seconds"), 600.0);
        assert_eq!(says("pg_restore_drill_expected_interval_seconds"), 3600.0);
        assert!(says("pg_restore_drill_duration_seconds{phase=\"restore\"") > 0.0);
        assert!(says("pg_restore_drill_restored_bytes") > 1e6);
        says("pg_restore_drill_timestamp_seconds")
    };
    assert_eq!(reports(&scene), 1);
    let (_daemon, port) = serve(&scene);
    let still = eventually("the drill is still known", PATIENCE, || {
        value(port, "pg_restore_drill_timestamp_seconds")
    });
    assert_eq!(still, ended);
    eventually("the proof is still known", PATIENCE, || {
        value(port, proof).filter(|at| *at > 0.0)
    });
    assert_eq!(reports(&scene), 1, "a restart does not drill again");
    // One by hand is picked up.
    scene.restored(&[]);
    eventually("the drill by hand is shown", PATIENCE, || {
        value(port, "pg_restore_drill_timestamp_seconds").filter(|at| *at > ended)
    });
}
