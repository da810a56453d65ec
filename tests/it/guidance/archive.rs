//! The archive command: whole or not there.

use std::fs;

use super::job::Jobs;

#[test]
fn a_file_of_wal_is_archived_once_and_never_replaced() {
    let jobs = Jobs::without_server();
    let segment = "000000010000000000000001";
    jobs.scratch.write("wal", [7; 100_000]);
    let archived = jobs.backups().join(segment);
    let archive = || jobs.run("archive-wal.sh", &["wal", segment, "backups"]);
    archive().is_silent();
    assert_eq!(fs::read(&archived).unwrap(), [7; 100_000]);
    // The server asks again when it went down before it noted the yes.
    archive().is_silent();
    // What a crash while copying left is replaced.
    fs::remove_file(&archived).unwrap();
    jobs.scratch
        .write(format!("backups/.{segment}.part"), "half");
    archive().is_silent();
    assert_eq!(jobs.names(), [segment]);
    jobs.scratch.write("wal", [8; 100_000]);
    let ended = archive();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("is there and differs"), "{ended:?}");
    assert_eq!(fs::read(&archived).unwrap(), [7; 100_000]);
}

#[test]
fn what_cannot_be_archived_is_not_there() {
    let jobs = Jobs::without_server();
    jobs.scratch.write("wal", [7; 100_000]);
    let script = super::folder().join("archive-wal.sh");
    let limited = format!(
        "trap '' XFSZ; ulimit -f 8; exec {} wal 000000010000000000000001 backups",
        script.display()
    );
    let ended = jobs.run("bash", &["-c", &limited]);
    assert_ne!(ended.code, Some(0), "{ended:?}");
    assert!(!jobs.backups().join("000000010000000000000001").exists());
    let unmounted = jobs.run("archive-wal.sh", &["wal", "x", "nowhere"]);
    assert_ne!(unmounted.code, Some(0), "{unmounted:?}");
    assert!(!jobs.scratch.join("nowhere").exists());
}
