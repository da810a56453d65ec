//! Whether the next backup will fit.

use super::usable::usable;
use crate::backup::Sighting;

/// Room for so many of the next one; a test holds the rule `BackupSpaceLow` to it.
const ROOM: f64 = 1.2;

/// The size of the next backup, which may be of any kind: the largest of the newest of each kind, in bytes.
pub(in crate::backup) fn next_size(sighting: &Sighting) -> u64 {
    let mut newest = usable(sighting);
    let mut kinds = std::collections::BTreeSet::new();
    newest.retain(|backup| kinds.insert(backup.kind));
    newest.iter().map(|backup| backup.bytes).max().unwrap_or(0)
}

/// Whether it fits into so much, in bytes.
pub(in crate::backup) fn fits(next: u64, free: u64) -> bool {
    free as f64 >= ROOM * next as f64
}
