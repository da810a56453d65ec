//! The incident log cannot be written: what is to be told is told from memory, and it is said where somebody looks.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::time::Duration;

use crate::harness::{Daemon, eventually, is_root, pgvigil};

use super::{PATIENCE, Stage};

/// Tells what the page, the metrics and the log of the process must say.
fn said(stage: &Stage, watch: &Daemon) {
    stage.shows("pgvigil_incident_log_writable 0");
    eventually("the page says so", PATIENCE, || {
        stage
            .page("/")?
            .contains("incident log cannot be written")
            .then_some(())
    });
    let output = watch.output();
    let path = stage.scratch.path().join("state").join("incidents.log");
    let expected = format!("cannot write the incident log `{}`", path.display());
    assert!(output.contains(&expected), "{output}");
    let failures = stage.page("/metrics").unwrap();
    let failures = failures
        .lines()
        .find_map(|line| line.strip_prefix("pgvigil_incident_log_failures_total "));
    assert!(failures.unwrap().parse::<f64>().unwrap() > 0.0);
}

/// A reload keeps what the disk did not take: nobody is told twice, and the end is told.
#[test]
fn a_reload_while_the_disk_is_full_forgets_nothing() {
    let stage = Stage::set(15);
    let state = stage.scratch.path().join("state");
    fs::create_dir_all(&state).unwrap();
    for aside in ["incidents.log.new", "incidents.log.small"] {
        symlink("/dev/full", state.join(aside)).unwrap();
    }
    let watch = stage.watch();
    stage.shows("pg_up 1");
    let sessions = stage.sessions(12);
    let opened = stage.mails(1)[0].clone();
    stage.hook.wait_for(1, PATIENCE);
    said(&stage, &watch);

    watch.signal("HUP");
    eventually("it is read again", PATIENCE, || {
        watch
            .output()
            .contains("configuration read again")
            .then_some(())
    });
    stage.shows("pg_up 1");
    stage.has_evaluated(8.0);
    assert_eq!(stage.mail.letters().len(), 1, "told again after a reload");
    drop(sessions);
    let closed = &stage.mails(2)[1];
    assert_eq!(closed.header("In-Reply-To"), opened.header("Message-ID"));

    fs::remove_file(state.join("incidents.log.new")).unwrap();
    stage.shows("pgvigil_incident_log_writable 1");
    let log = fs::read_to_string(state.join("incidents.log")).unwrap();
    assert!(
        log.contains("\"receiver\":\"oncall\"") || log.contains("\"oncall\""),
        "{log}"
    );
}

#[test]
fn with_a_state_directory_that_is_read_only_it_tells_all_the_same() {
    let stage = Stage::set(15);
    let state = stage.scratch.path().join("state");
    fs::create_dir_all(&state).unwrap();
    fs::set_permissions(&state, fs::Permissions::from_mode(0o555)).unwrap();
    for open in [stage.scratch.path(), &stage.config] {
        fs::set_permissions(open, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mut command = pgvigil();
    command.arg("--config").arg(&stage.config);
    if is_root() {
        // Root may write everywhere.
        command.uid(65_534).gid(65_534);
    }
    let mut watch = Daemon::spawn(command);
    stage.shows("pg_up 1");
    let sessions = stage.sessions(12);
    stage.mails(1);
    stage.hook.wait_for(1, PATIENCE);
    said(&stage, &watch);
    drop(sessions);
    stage.mails(2);
    watch.signal("TERM");
    assert_eq!(watch.wait(PATIENCE + Duration::from_secs(15)), Some(0));
}
