//! What a manifest promises, ticked off file by file as pg_verifybackup does.

use std::collections::HashMap;
use std::io;

use super::MANIFEST;
use super::manifest::{Manifest, Promise};
use crate::backup::inspect::halt::{corrupt, half_written};

/// What pg_verifybackup leaves out, for it may be written after the backup: the file itself, or everything below it.
fn is_ignored(path: &str) -> bool {
    const IGNORED: [&str; 5] = [
        MANIFEST,
        "pg_wal",
        "postgresql.auto.conf",
        "recovery.signal",
        "standby.signal",
    ];
    let first = path.split('/').next().unwrap_or_default();
    IGNORED.contains(&first) && (first == "pg_wal" || first == path)
}

/// What the manifest promises and has not been seen yet.
pub(super) struct Awaited {
    pub(super) files: HashMap<Box<str>, Promise>,
    pub(super) has_unsummed: bool,
}

impl Awaited {
    pub(super) fn of(manifest: Manifest) -> Awaited {
        let mut files = manifest.files;
        files.retain(|path, _| !is_ignored(path));
        let has_unsummed = files.values().any(|promise| promise.sum.is_none());
        Awaited {
            files,
            has_unsummed,
        }
    }

    /// What was promised of a file of this size; nothing for one of which nothing has to be promised.
    pub(super) fn take(&mut self, path: &str, bytes: u64) -> io::Result<Option<Promise>> {
        if is_ignored(path) {
            return Ok(None);
        }
        match self.files.remove(path) {
            None => Err(corrupt(format!(
                "holds `{}`, which its manifest does not know",
                short(path)
            ))),
            Some(promise) if promise.bytes != bytes => Err(half_written(format!(
                "is not whole: its file `{}` has {bytes} bytes, its manifest says {}",
                short(path),
                promise.bytes
            ))),
            Some(promise) => Ok(Some(promise)),
        }
    }

    /// Complains when something has not come.
    pub(super) fn judge(&self) -> io::Result<()> {
        let Some(first) = self.files.keys().min() else {
            return Ok(());
        };
        let more = match self.files.len() {
            1 => String::new(),
            count => format!(" and {} more", count - 1),
        };
        Err(half_written(format!(
            "lacks `{}`{more}, which its manifest names",
            short(first)
        )))
    }
}

pub(super) fn wrong_sum(path: &str) -> io::Error {
    corrupt(format!(
        "is damaged: its file `{}` does not agree with the checksum in its manifest",
        short(path)
    ))
}

/// A path for a message: some have no end.
pub(super) fn short(path: &str) -> String {
    const LONGEST: usize = 120;
    let start: String = path.chars().take(LONGEST).collect();
    let dots = if start.len() < path.len() { "…" } else { "" };
    format!("{}{dots}", start.escape_debug())
}
