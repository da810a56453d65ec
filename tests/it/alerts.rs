//! Claim 8: every shipped rule fires and clears on a real server, through the binary as a user runs it. Each scene
//! declares its rules as [`Case`]s, stages what they are about and takes it away again; a test compares the sum of all
//! declarations with the rules that are shipped. What holds for hours is not waited for: `rules.override` takes `for`
//! away everywhere and lowers the thresholds that a case names, and where a rule looks back over minutes the clock of
//! the watch is put forward.

mod advice;
mod backups;
mod drills;
mod nodes;
mod own;
mod promises;
mod recovery;
mod replication;
mod sessions;
mod shipped;
mod upkeep;
mod wal;
mod watch;

use std::process::Command;
use std::time::Duration;

use super::harness::{Daemon, Postgres};

/// The machine may be busy with all other tests.
const PATIENCE: Duration = Duration::from_secs(90);

/// A rule that a scene makes fire and clear, as `Name/severity`.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    rule: &'static str,
    /// What its threshold is lowered to.
    threshold: Option<f64>,
}

/// A rule with the threshold it is shipped with.
const fn real(rule: &'static str) -> Case {
    Case {
        rule,
        threshold: None,
    }
}

/// A rule whose threshold nobody could wait for.
const fn lowered(rule: &'static str, threshold: f64) -> Case {
    Case {
        rule,
        threshold: Some(threshold),
    }
}

/// So many clients that run a script of pgbench over and over until they are dropped.
fn clients(postgres: &Postgres, url: &str, count: usize, script: &str) -> Daemon {
    static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let path = postgres.dir().join(format!("script{number}.sql"));
    std::fs::write(&path, script).unwrap();
    let mut command: Command = postgres.command("pgbench");
    let count = count.to_string();
    command.args(["-n", "-T", "600", "--max-tries=0", "-c", &count, "-f"]);
    command.arg(path).arg(url);
    Daemon::spawn(command)
}
