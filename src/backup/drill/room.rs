//! What a drill may need on the disk, and whether it is there.

use std::path::Path;

use super::failure::{Failure, refused};
use super::physical;
use crate::backup::Verdict;

/// Left free beside what a drill needs.
const RESERVE: u64 = 1 << 30;
/// What is packed is at most so many times as large when it is not.
const PACKED: u64 = 6;

/// What a tool's backup of so many bytes may need while it is restored.
pub(super) fn of_tool(stored: u64) -> u64 {
    stored.saturating_mul(PACKED)
}

/// The same of a base backup.
pub(super) fn of_base(form: physical::Form, stored: u64) -> u64 {
    match form {
        physical::Form::Tapes => stored.saturating_mul(PACKED),
        physical::Form::Folder => stored.saturating_mul(2),
    }
}

/// The same of a dump: what was fetched, the database, its indexes and the WAL of restoring it.
pub(super) fn of_dump(verdict: &Verdict) -> u64 {
    verdict.uncompressed_bytes.saturating_mul(5) / 2
}

/// Whether a folder has room for so many bytes more.
pub(super) fn make_sure(folder: &Path, needed: u64) -> Result<(), Failure> {
    let room = rustix::fs::statvfs(folder)
        .map_err(|error| refused("cannot ask for free space")(error.into()))?;
    let (free, needed) = (
        room.f_bavail.saturating_mul(room.f_frsize),
        needed.saturating_add(RESERVE),
    );
    if free >= needed {
        return Ok(());
    }
    let gib = |bytes: u64| bytes as f64 / f64::from(1 << 30);
    Err(Failure::Impossible(format!(
        "no room: a drill of this backup may need {:.1} GiB and `{}` has {:.1} GiB free; set `work_dir` to a larger disk",
        gib(needed),
        folder.display(),
        gib(free)
    )))
}
