//! The lock of a state directory: one process has it at a time.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long the lock of a directory may take to be let go.
const HANDOVER: Duration = Duration::from_secs(1);

/// Makes the directory where it is missing and takes its lock, which is held as long as the file is open.
///
/// # Errors
/// `WouldBlock` where another process has it; what the system says else.
pub(super) fn take(dir: &Path) -> io::Result<File> {
    fs::create_dir_all(dir)?;
    let mut options = OpenOptions::new();
    let mut lock = options
        .create(true)
        .truncate(false)
        .write(true)
        .open(path(dir))?;
    soon(&lock)?;
    // Only for the message to a second process, so a full disk is no reason to go without; the lock itself is the
    // system's.
    let _ = lock
        .set_len(0)
        .and_then(|()| write!(lock, "{}", std::process::id()));
    Ok(lock)
}

/// The id of the process that has it.
pub(super) fn owner(dir: &Path) -> String {
    fs::read_to_string(path(dir)).unwrap_or_default()
}

fn path(dir: &Path) -> PathBuf {
    dir.join("incidents.lock")
}

/// Takes the lock, and waits for one that is just being let go: by a process that ends, or by a child that was forked
/// while it was held and is about to become another program.
fn soon(lock: &File) -> io::Result<()> {
    let start = Instant::now();
    loop {
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) if start.elapsed() < HANDOVER => {
                std::thread::sleep(Duration::from_millis(20));
            }
            result => return Ok(result?),
        }
    }
}
