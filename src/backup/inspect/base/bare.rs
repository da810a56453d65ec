//! A data directory without `backup_label` and `backup_manifest`. It can be a backup only if its server was shut down
//! while it was copied; what `pg_control` says of that decides.

use std::io;

use super::{CONTROL, Pace, Verdict, take_control, within};
use crate::backup::inspect::halt::{corrupt, half_written, unknowable};
use crate::backup::inspect::input::{Input, head};
use crate::backup::shelf::Shelf;
use crate::sample::Timestamp;

/// Where `pg_control` has the state of the server (four bytes), as all versions do.
const STATE: usize = 16;
/// Where it has the second in which it was last written (eight bytes).
const WRITTEN: usize = 24;
/// So much of it is needed.
const BYTES: usize = 32;

/// Shut down, and the same of a standby.
const SHUT_DOWN: [u32; 2] = [1, 2];

/// What such a directory is, by its `pg_control`.
pub(super) fn judge(
    shelf: &dyn Shelf,
    folder: &str,
    pace: &Pace,
    verdict: &mut Verdict,
) -> io::Error {
    let name = within(folder, CONTROL);
    let gone = shelf.stand(&name).err().map(|error| error.kind());
    if gone == Some(io::ErrorKind::NotFound) {
        return half_written(
            "is a data directory without `backup_label`, `backup_manifest` and `global/pg_control`: nothing can be started from it",
        );
    }
    let control = Input::open(shelf, &name, pace);
    let start = match control.and_then(|mut control| head(&mut control, BYTES)) {
        Ok(start) => start,
        Err(error) => return error,
    };
    take_control(&start, verdict);
    let Some((state, written)) = told(&start) else {
        return corrupt("has a `global/pg_control` that is cut");
    };
    if !SHUT_DOWN.contains(&state) {
        return corrupt(
            "is a copy of a data directory whose server was running, without `backup_label` and `backup_manifest`: its files are of different moments, and nothing tells from where WAL would make them agree; take base backups with `pg_basebackup`",
        );
    }
    // Nothing was written after that.
    verdict.written = Some((written, written));
    unknowable(
        "is a data directory of a server that was shut down, without `backup_label` and `backup_manifest`: whether it is whole cannot be known",
    )
}

fn told(start: &[u8]) -> Option<(u32, Timestamp)> {
    let state = start.get(STATE..)?.first_chunk()?;
    let seconds = start.get(WRITTEN..)?.first_chunk()?;
    let seconds = i64::from_le_bytes(*seconds);
    Some((
        u32::from_le_bytes(*state),
        Timestamp(seconds.saturating_mul(1000)),
    ))
}
