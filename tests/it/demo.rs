//! `pgvigil demo`, as a person runs it: what it shows, and what it leaves behind.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::harness::{Daemon, eventually, pgvigil};

const PATIENCE: Duration = Duration::from_secs(200);

#[test]
fn it_tells_an_alert_from_beginning_to_end_and_tidies_up() {
    let mut demo = demo(&["--exit"]);
    let code = demo.wait(PATIENCE);
    let output = demo.output();
    assert_eq!(code, Some(0), "{output}");

    let mut rest = output.as_str();
    for step in [
        "pg_dump has written",
        "The whole configuration:",
        "The status page: http://127.0.0.1:",
        "connections",
        "transactions/s",
        "more clients connect and stay",
        "PostgresqlConnectionsHigh (warning) is pending",
        "PostgresqlConnectionsHigh (warning) is firing",
        "the clients leave",
        "PostgresqlConnectionsHigh (warning) is resolved",
        "Everything is cleaned up.",
    ] {
        let place = rest.find(step);
        assert!(
            place.is_some(),
            "`{step}` is missing, or comes too early:\n{output}"
        );
        rest = &rest[place.unwrap()..];
    }
    let (before, after) = output.split_once("the clients leave").unwrap();
    for told in [before, after] {
        for part in [
            "an email arrives:",
            "| Subject: ",
            "| Message-ID: ",
            "a message for Slack arrives:",
            "\"blocks\"",
        ] {
            assert!(told.contains(part), "`{part}` is missing:\n{output}");
        }
    }
    // What a person has to write stays within fifteen lines.
    let configuration = output.split_once("The whole configuration:").unwrap().1;
    let written = configuration
        .lines()
        .skip_while(|line| !line.contains('|'))
        .take_while(|line| line.contains('|'));
    assert!(written.count() <= 15);

    assert!(!folder(demo.id()).exists());
    assert!(!runs_in(&folder(demo.id())));
}

#[test]
fn what_a_killed_demo_leaves_the_next_one_removes() {
    let mut first = demo(&[]);
    wait_for_page(&first);
    let left = folder(first.id());
    first.signal("KILL");
    first.wait(PATIENCE);
    assert!(left.exists() && runs_in(&left));

    let mut second = demo(&[]);
    wait_for_page(&second);
    assert!(!left.exists());
    assert!(!runs_in(&left));

    second.signal("INT");
    assert_eq!(second.wait(PATIENCE), Some(0), "{}", second.output());
    assert!(!folder(second.id()).exists());
    assert!(!runs_in(&folder(second.id())));
}

#[test]
fn without_postgresql_it_says_what_to_do() {
    let mut command = pgvigil();
    command
        .arg("demo")
        .env("PGVIGIL_DEMO_PGBIN", "/nonexistent");
    let output = command.output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        error.contains("`PGVIGIL_DEMO_PGBIN` is `/nonexistent`"),
        "{error}"
    );
}

fn demo(arguments: &[&str]) -> Daemon {
    let mut command = pgvigil();
    command.arg("demo").args(arguments);
    Daemon::spawn(command)
}

fn wait_for_page(demo: &Daemon) {
    eventually("the demo names its page", PATIENCE, || {
        demo.output().contains("The status page").then_some(())
    });
}

fn folder(id: u32) -> PathBuf {
    format!("/tmp/pgvigil-demo-{id}").into()
}

fn runs_in(folder: &Path) -> bool {
    let processes = Command::new("ps").args(["-eo", "args"]).output().unwrap();
    String::from_utf8_lossy(&processes.stdout).contains(&format!("{}/data", folder.display()))
}
