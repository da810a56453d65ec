//! Barman itself over a real cluster: backups that end well, badly, and never. WAL comes by `archive_command`, so that no
//! process of Barman stays behind.

use std::fs;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use pgvigil::backup::{Origin, State};
use rustix::process::{Pid, Signal, kill_process_group};

use super::{facts, run, sighting};
use crate::backup::watched::Watched;
use crate::harness::{Postgres, Scratch, eventually, eventually_async, give_to_server, is_root};

const DEADLINE: Duration = Duration::from_secs(90);

/// A home of Barman's, with the server `m` that archives into it.
pub struct Home {
    pub scratch: Scratch,
    pub postgres: Postgres,
}

impl Home {
    pub fn start() -> Home {
        let scratch = Scratch::new();
        let incoming = scratch.join("home/m/incoming");
        fs::create_dir_all(&incoming).unwrap();
        for folder in ["", "home", "home/m", "home/m/incoming"] {
            give_to_server(&scratch.join(folder));
        }
        let archive = format!(
            "archive_command=cp %p {0}/.%f && mv {0}/.%f {0}/%f",
            incoming.display()
        );
        let postgres = Postgres::with(15, &["archive_mode=on", &archive, "log_connections=on"]);
        let world = Home { scratch, postgres };
        world.configure(
            "good",
            &world
                .postgres
                .bin("pg_basebackup")
                .parent()
                .unwrap()
                .display()
                .to_string(),
        );
        for (name, copy) in [("bad", "exit 3"), ("hung", "exec sleep 600")] {
            let script = format!(
                "#!/bin/sh\ncase \"$*\" in *--version*) echo 'pg_basebackup (PostgreSQL) 15.18'; exit ;; esac\n{copy}\n"
            );
            let path = world.scratch.write(format!("{name}/pg_basebackup"), script);
            run(Command::new("chmod").arg("755").arg(&path));
            world.configure(name, &world.scratch.join(name).display().to_string());
        }
        world
    }

    fn configure(&self, name: &str, programs: &str) {
        let user = if is_root() {
            "nobody".into()
        } else {
            run(Command::new("id").arg("-un"))
        };
        let (at, port) = (self.scratch.path().display(), self.postgres.port());
        let reach = format!("host=127.0.0.1 port={port} user=postgres");
        let text = format!(
            "[barman]\nbarman_home = {at}/home\nbarman_user = {}\nlog_file = {at}/home/log\nconfiguration_files_directory = {at}/none\n\
             [m]\ndescription = m\nconninfo = {reach} dbname=postgres\nstreaming_conninfo = {reach}\nbackup_method = postgres\n\
             archiver = on\npath_prefix = {programs}\n",
            user.trim()
        );
        self.scratch.write(format!("{name}.conf"), text);
    }

    /// Runs it with a configuration: `good`, or one whose copy goes `bad` or is `hung`.
    pub fn barman(&self, config: &str, words: &[&str]) -> Command {
        let mut command = self.postgres.beside("barman");
        command
            .arg("--config")
            .arg(self.scratch.join(format!("{config}.conf")))
            .args(words);
        command
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_barman_tells_and_what_it_does_not() {
    let world = Home::start();
    let config = world.scratch.join("good.conf");
    let text = format!(
        "backups: [{{name: m, server: shop, look: 2s, barman: {{server: m, config: '{0}', home: '{1}'}}}}, \
         {{name: typo, server: shop, look: 1h, barman: {{server: n, config: '{0}'}}}}]",
        config.display(),
        world.scratch.join("home").display()
    );
    let state = Scratch::new();
    let watched = Watched::over(&text, state.path());
    let seen = |state: State| {
        let watched = &watched;
        move || async move {
            let seen = sighting(watched, "m")?;
            seen.backups
                .into_iter()
                .find(|backup| backup.state == state)
        }
    };
    let refused = || async {
        let records = watched.records.all();
        records
            .iter()
            .find(|record| record.settings.name == "typo")?
            .facts
            .obstacle
            .clone()
    };
    let refused = eventually_async("no such server", DEADLINE, refused).await;
    assert_eq!(refused.problem(), "tool_failed");
    assert!(
        refused.to_string().contains("Unknown server 'n'"),
        "{refused}"
    );

    // Barman takes no backup before WAL has come.
    world.postgres.sql("postgres", "SELECT pg_switch_wal()");
    let incoming = world.scratch.join("home/m/incoming");
    let first = incoming.join("000000010000000000000001");
    eventually_async("WAL has come", DEADLINE, || async {
        first.exists().then_some(())
    })
    .await;
    run(&mut world.barman("good", &["archive-wal", "m"]));
    run(&mut world.barman("good", &["backup", "m"]));
    let done = eventually_async("a backup is done", DEADLINE, seen(State::Done)).await;
    assert!(done.bytes > 1 << 20 && done.took.is_some(), "{done:?}");

    let system = world.postgres.sql(
        "postgres",
        "SELECT system_identifier FROM pg_control_system()",
    );
    assert_eq!(done.origin, Some(Origin::Cluster(system.parse().unwrap())));
    let (begin, end) = done.wal.unwrap();
    let wal = || async {
        // The last of it may come only now.
        run(&mut world.barman("good", &["archive-wal", "m"]));
        let chain = facts(&watched, "m")?.chain?;
        let reached = chain.unbroken_end? >= end.end(chain.segment_bytes);
        (begin <= end && reached).then_some(())
    };
    eventually_async("the WAL it needs is there", DEADLINE, wal).await;

    let output = world.barman("bad", &["backup", "m"]).output().unwrap();
    let failed = eventually_async("a backup failed", DEADLINE, seen(State::Failed)).await;
    assert!(failed.finished > done.finished, "{failed:?} {output:?}");
    watched
        .until(
            "the newest attempt failed",
            &[("last_attempt_failed", "m", 1.0)],
        )
        .await;

    let mut hung = world.barman("hung", &["backup", "m"]);
    let hung = hung
        .process_group(0)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut hung = Ended(hung.spawn().unwrap());
    let running = eventually_async("a backup runs", DEADLINE, seen(State::Running)).await;
    hung.end();
    eventually("its processes are gone", DEADLINE, || {
        hung.0.try_wait().unwrap()
    });
    let looked = || watched.value("probe_timestamp_seconds", "m");
    let before = looked();
    eventually_async("it is looked at again", DEADLINE, || async {
        (looked() > before).then_some(())
    })
    .await;
    // Killed, it is STARTED for ever; so since when is what can be told.
    let again = seen(State::Running)().await.unwrap();
    assert_eq!((again.id, again.finished), (running.id, running.finished));
    assert!(again.finished > failed.finished.before(Duration::from_secs(1)));
    watched.stop().await;
}

/// A process and its group, killed at the end however the test ends.
struct Ended(std::process::Child);

impl Ended {
    fn end(&self) {
        let group = Pid::from_raw(self.0.id().cast_signed());
        let _ = kill_process_group(group.unwrap(), Signal::KILL);
    }
}

impl Drop for Ended {
    fn drop(&mut self) {
        self.end();
        let _ = self.0.wait();
    }
}
