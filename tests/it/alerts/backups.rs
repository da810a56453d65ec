//! A folder of backups in which everything goes wrong that can.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::watch::Watch;
use super::{Case, lowered, real};
use crate::harness::Scratch;

pub(super) const CASES: &[Case] = &[
    real("BackupMissing/critical"),
    real("BackupFolderEmpty/critical"),
    real("BackupTooOld/warning"),
    real("BackupTooOld/critical"),
    real("BackupDamaged/critical"),
    real("BackupForeign/critical"),
    real("BackupShrunk/warning"),
    real("BackupStuck/warning"),
    real("BackupProbeFailing/warning"),
    real("BackupProbeFailing/critical"),
    // Its threshold is computed from the room that there is.
    lowered("BackupSpaceLow/critical", 0.0),
    real("BackupLogErrors/warning"),
    real("BackupLogUnreadable/warning"),
];

const HEAD: &str =
    "--\n-- PostgreSQL database dump\n--\n\n-- Dumped from database version 15.18\n\n";
const END: &str = "--\n-- PostgreSQL database dump complete\n--\n\n";

/// A whole dump of so many lines.
pub(super) fn dump(database: &str, lines: usize) -> String {
    format!(
        "{HEAD}\\connect {database}\n\n{}{END}",
        "-- nothing\n".repeat(lines)
    )
}

pub(super) fn put(folder: &Path, name: &str, content: &str, hours_ago: u64) {
    let path = folder.join(name);
    fs::write(&path, content).unwrap();
    let file = fs::File::options().write(true).open(&path).unwrap();
    let then = SystemTime::now() - Duration::from_secs(hours_ago * 3600);
    file.set_modified(then).unwrap();
}

#[test]
fn a_folder_in_which_everything_goes_wrong() {
    let scratch = Scratch::new();
    let folder = scratch.join("dumps");
    fs::create_dir(&folder).unwrap();
    let log = scratch.write("backup.log", "all is well\n");
    let config = format!(
        "servers: [{{name: shop, url: 'postgresql://nobody@127.0.0.1:1/shop'}}]\n\
         backups: [{{name: nightly, server: shop, database: shop, files: '{}/*.sql', every: 1d, look: 1s, log: '{}'}}]",
        folder.display(),
        log.display()
    );
    let free = rustix::fs::statvfs(&folder).unwrap();
    let free = (free.f_bavail * free.f_frsize) as f64;
    // The small dumps are far below this share of the room, the large one is far above.
    let thresholds = [("BackupSpaceLow/critical", free / 100_000.0)];
    let watch = Watch::in_folder(scratch, CASES, &config, "", &thresholds);
    let put = |name: &str, content: &str, hours| put(&folder, name, content, hours);
    let remove = |name: &str| fs::remove_file(folder.join(name)).unwrap();

    let missing = ["BackupMissing/critical", "BackupFolderEmpty/critical"];
    watch.fires(&missing);
    let old = ["BackupTooOld/warning", "BackupTooOld/critical"];
    for day in 4..8 {
        put(&format!("{day}.sql"), &dump("shop", 100), day * 24);
    }
    watch.fires(&old);
    watch.clears(&missing);

    put("half.sql", &dump("shop", 100)[..200], 3);
    watch.fires(&["BackupDamaged/critical"]);
    remove("half.sql");
    put("3.sql", &dump("shop", 20_000), 2);
    watch.fires(&["BackupSpaceLow/critical"]);
    watch.clears(&old);
    watch.clears(&["BackupDamaged/critical"]);
    remove("3.sql");
    put("2.sql", &dump("friends", 10), 1);
    watch.fires(&["BackupForeign/critical"]);
    watch.clears(&["BackupSpaceLow/critical"]);
    // What could be restored is the one before.
    watch.knows("time() - max(pg_backup_last_success_timestamp_seconds) > 2 * 3600");
    put("2.sql", &dump("shop", 10), 1);
    watch.fires(&["BackupShrunk/warning"]);
    watch.clears(&["BackupForeign/critical"]);
    remove("2.sql");
    put("1.sql", &dump("shop", 110), 1);
    watch.clears(&["BackupShrunk/warning"]);

    put("0.sql.part", HEAD, 9);
    watch.fires(&["BackupStuck/warning"]);
    remove("0.sql.part");
    watch.clears(&["BackupStuck/warning"]);
    let failing = ["BackupProbeFailing/warning", "BackupProbeFailing/critical"];
    let away = watch.folder().join("away");
    fs::rename(&folder, &away).unwrap();
    watch.fires(&failing);
    fs::rename(&away, &folder).unwrap();
    watch.clears(&failing);

    fs::rename(&log, &away).unwrap();
    watch.fires(&["BackupLogUnreadable/warning"]);
    fs::rename(&away, &log).unwrap();
    watch.clears(&["BackupLogUnreadable/warning"]);
    fs::write(&log, "all is well\npg_dump: error: no password\n").unwrap();
    watch.fires(&["BackupLogErrors/warning"]);
    // It counts for a day and the six hours of grace.
    watch.clock("+31h");
    watch.clears(&["BackupLogErrors/warning"]);
    watch.finish();
}
