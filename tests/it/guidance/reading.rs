//! Who may read what the jobs write.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use super::job::Jobs;
use super::server;
use crate::harness::eventually;

/// The path, mode and group of a folder and of everything in it, however deep.
fn all(folder: &Path) -> Vec<(String, u32, u32)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).unwrap();
        let inner = entries.map(|entry| entry.unwrap().path());
        for path in inner.chain([folder.clone()]) {
            let metadata = fs::symlink_metadata(&path).unwrap();
            if metadata.is_dir() && path != folder {
                folders.push(path);
                continue;
            }
            let mode = metadata.permissions().mode() & 0o777;
            found.push((path.display().to_string(), mode, metadata.gid()));
        }
    }
    found
}

#[test]
fn a_group_reads_the_backups_once_it_is_let_in() {
    let postgres = server(15, &[]);
    let mut jobs = Jobs::of(&postgres).with_pgvigil();
    let (backups, log) = (jobs.backups(), jobs.scratch.join("log"));
    let owner = fs::metadata(&backups).unwrap();
    // Only root may give what it writes to a group that it is not in.
    let group = if owner.uid() == 0 { 54321 } else { owner.gid() };
    let archive = jobs.scratch.join("archive");
    fs::create_dir(&archive).unwrap();
    for folder in [&backups, &archive] {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).unwrap();
    }
    // What the server writes is like this.
    let segment = jobs.scratch.write("wal", [7; 1000]);
    fs::set_permissions(segment, fs::Permissions::from_mode(0o600)).unwrap();
    let take = |jobs: &Jobs, name: &str| {
        jobs.run("archive-wal.sh", &["wal", name, "archive"])
            .is_silent();
        for job in ["globals.sh", "base-backup.sh"] {
            jobs.run(job, &["backups"]).is_silent();
        }
        jobs.run("dump.sh", &["rachel", "backups"]).is_silent();
        let mut written = all(&backups);
        written.extend(all(&archive));
        written
    };
    let alone = take(&jobs, "000000010000000000000001");
    for (path, mode, _) in &alone {
        assert_eq!(mode & 0o77, 0, "{path}: {mode:o}");
    }
    for (name, value) in [
        ("GROUP", group.to_string()),
        ("BACKUPS", backups.display().to_string()),
        ("ARCHIVE", archive.display().to_string()),
        ("LOG", log.display().to_string()),
        ("BACKUP_UMASK", "027".into()),
    ] {
        jobs.set(name, value);
    }
    jobs.follow("let-in").is_good();
    // What the jobs write is named by the second.
    let second = || fs::metadata(jobs.scratch.write("now", "")).unwrap().mtime();
    let before = second();
    eventually("another second", Duration::from_secs(10), || {
        (second() > before).then_some(())
    });
    let mut written = take(&jobs, "000000010000000000000002");
    assert!(written.len() > alone.len() + 900, "{}", written.len());
    let metadata = fs::metadata(&log).unwrap();
    written.push(("log".into(), metadata.mode() & 0o777, metadata.gid()));
    for (path, mode, owner) in written {
        let is_folder = Path::new(&path).is_dir();
        let expected = if is_folder { 0o750 } else { 0o640 };
        assert_eq!((mode, owner), (expected, group), "{path}: {mode:o}");
    }
}
