//! The folder a demo lives in, and what is left of demos that could not tidy up.
//! A lock on a file in it lasts exactly as long as the demo's process.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use rustix::fs::{FlockOperation, flock};
use rustix::process::{Pid, Signal, geteuid, kill_process};

const PREFIX: &str = "pgvigil-demo-";
// A socket's path has at most 107 bytes, which rules out the long temporary directories of some systems.
const PARENT: &str = "/tmp";

/// A demo's folder.
pub(super) struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// A new one, which others may enter but not list: the server runs as another user when we are root.
    pub(super) fn create() -> anyhow::Result<Folder> {
        let path = Path::new(PARENT).join(format!("{PREFIX}{}", std::process::id()));
        let make = || -> io::Result<File> {
            DirBuilder::new().mode(0o711).create(&path)?;
            let lock = File::create(path.join("lock"))?;
            flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
            Ok(lock)
        };
        let lock =
            make().with_context(|| format!("cannot make the folder `{}`", path.display()))?;
        Ok(Folder { path, _lock: lock })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes a folder in it that belongs to `owner`, and to nobody else.
    pub(super) fn subfolder(
        &self,
        name: &str,
        owner: Option<(u32, u32)>,
    ) -> anyhow::Result<PathBuf> {
        let path = self.path.join(name);
        let make = || -> io::Result<()> {
            DirBuilder::new().mode(0o700).create(&path)?;
            match owner {
                Some((user, group)) => std::os::unix::fs::chown(&path, Some(user), Some(group)),
                None => Ok(()),
            }
        };
        make().with_context(|| format!("cannot make the folder `{}`", path.display()))?;
        Ok(path)
    }

    /// Removes it and all that is in it.
    pub(super) fn remove(self) -> anyhow::Result<()> {
        fs::remove_dir_all(&self.path)
            .with_context(|| format!("cannot remove the folder `{}`", self.path.display()))
    }
}

/// Ends the servers and removes the folders of demos whose process is gone; gives those folders.
pub(super) async fn clean_up_after_crashes() -> Vec<PathBuf> {
    let entries = fs::read_dir(PARENT).into_iter().flatten().flatten();
    let mut cleaned = Vec::new();
    for path in entries
        .map(|entry| entry.path())
        .filter(|path| is_abandoned(path))
    {
        end_server(&path.join("data")).await;
        if fs::remove_dir_all(&path).is_ok() {
            cleaned.push(path);
        }
    }
    cleaned
}

/// Whether it is a demo's folder, ours, and its lock is free.
fn is_abandoned(path: &Path) -> bool {
    let named = path
        .file_name()
        .and_then(|name| name.to_str())
        .is_some_and(|name| name.starts_with(PREFIX));
    let ours = || {
        fs::symlink_metadata(path).is_ok_and(|folder| {
            folder.is_dir()
                && folder.uid() == geteuid().as_raw()
                && folder.permissions().mode() & 0o022 == 0
        })
    };
    let free = || match File::open(path.join("lock")) {
        Ok(lock) => flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok(),
        Err(_) => false,
    };
    named && ours() && free()
}

/// Stops at once the server of this data directory, if the process its pid file names is really that server.
async fn end_server(data: &Path) {
    let Ok(status) = fs::read_to_string(data.join("postmaster.pid")) else {
        return;
    };
    let pid = status
        .lines()
        .next()
        .and_then(|line| line.trim().parse().ok())
        .and_then(Pid::from_raw);
    let Some(pid) = pid.filter(|pid| serves(*pid, data)) else {
        return;
    };
    if kill_process(pid, Signal::QUIT).is_ok() {
        for _ in 0..100 {
            if !serves(pid, data) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let _ = kill_process(pid, Signal::KILL);
    }
}

fn serves(pid: Pid, data: &Path) -> bool {
    let asked = std::process::Command::new("ps")
        .args(["-o", "args=", "-p", &pid.as_raw_nonzero().to_string()])
        .output();
    asked.is_ok_and(|answer| {
        String::from_utf8_lossy(&answer.stdout).contains(&*data.to_string_lossy())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_abandoned_folders_are_removed() {
        let living = Path::new(PARENT).join(format!("{PREFIX}living-{}", std::process::id()));
        let dead = Path::new(PARENT).join(format!("{PREFIX}dead-{}", std::process::id()));
        for path in [&living, &dead] {
            DirBuilder::new().mode(0o711).create(path).unwrap();
        }
        let lock = File::create(living.join("lock")).unwrap();
        flock(&lock, FlockOperation::NonBlockingLockExclusive).unwrap();
        drop(File::create(dead.join("lock")).unwrap());

        // Another test's demo may have been faster.
        clean_up_after_crashes().await;
        assert!(living.exists());
        assert!(!dead.exists());
        fs::remove_dir_all(&living).unwrap();
    }
}
