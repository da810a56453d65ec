//! Backups that may not be read by whoever runs pgvigil.

use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::base;
use super::places::PLAIN;
use super::tally::{Dice, Tally};
use crate::harness::{Daemon, Scratch, is_root, pgvigil};

/// pgvigil with no more rights than files give to their owner: root reads everything else.
pub fn without_rights() -> Command {
    let program = pgvigil();
    if !is_root() {
        return program;
    }
    let mut command = Command::new("setpriv");
    command
        .args(["--bounding-set=-all", "--inh-caps=-all"])
        .arg(program.get_program());
    command
}

/// Whether pgvigil calls the backup good; nothing when it never says.
fn is_good(path: &Path) -> Option<bool> {
    let mut command = without_rights();
    command.args(["backup", "verify"]).arg(path);
    let ended = Daemon::spawn(command).wait(Duration::from_secs(60))?;
    assert!(
        [0, 1, 2].contains(&ended),
        "{}: it ended with {ended}",
        path.display()
    );
    Some(ended == 0)
}

pub fn tallies(_: &mut Dice) -> Vec<Tally> {
    let (scratch, mut tally) = (Scratch::new(), Tally::of("what may not be read"));
    let folder = scratch.join("base");
    base::lay(&folder, &base::content(false));
    let dump = scratch.write("a.sql", PLAIN);
    // Of this file nothing is promised, for tools write to it after the backup.
    let inside = base::content(false)
        .into_iter()
        .filter(|(name, _)| name != "postgresql.auto.conf")
        .map(|(name, _)| (folder.clone(), folder.join(name)));
    let folders = ["", "base", "base/1", "pg_xact"].map(|name| (folder.clone(), folder.join(name)));
    let victims: Vec<(PathBuf, PathBuf)> = inside
        .chain(folders)
        .chain([(dump.clone(), dump.clone())])
        .collect();
    for path in [&folder, &dump] {
        tally.good += 1;
        if is_good(path) != Some(true) {
            tally.false_alarms.push(path.display().to_string());
        }
    }
    for (path, victim) in victims {
        let before = victim.metadata().unwrap().permissions();
        set_permissions(&victim, Permissions::from_mode(0o000)).unwrap();
        let said = is_good(&path);
        set_permissions(&victim, before).unwrap();
        tally.damaged += 1;
        match said {
            Some(false) => {}
            Some(true) => tally.misses.push(victim.display().to_string()),
            None => tally.hangs.push(victim.display().to_string()),
        }
    }
    vec![tally]
}
