//! What is known of each server's archive, over restarts: else nothing would be certain until a segment is archived,
//! which on an idle server may be never.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::archive::Archive;
use super::recovery::Moment;
use crate::backup::saved;
use crate::sample::Timestamp;

/// The file that holds it.
#[derive(Debug)]
pub(super) struct Memory {
    path: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct Saved<T> {
    wall: Timestamp,
    steady: Timestamp,
    archives: T,
}

impl Memory {
    pub(super) fn new(state_dir: &Path) -> Memory {
        Memory {
            path: state_dir.join("exposure.json"),
        }
    }

    /// What an earlier run has kept, by server; nothing when it cannot be understood, or when it was kept in what is now
    /// the future.
    pub(super) fn load(&self, now: Moment) -> BTreeMap<String, Archive> {
        let saved = saved::read::<Saved<BTreeMap<String, Archive>>>(&self.path);
        let Some(mut saved) = saved.filter(|saved| saved.wall <= now.wall) else {
            return BTreeMap::new();
        };
        let passed = now.wall.0 - saved.wall.0;
        let shift = now.steady.0 - passed - saved.steady.0;
        saved
            .archives
            .values_mut()
            .for_each(|archive| archive.shift(shift));
        saved.archives
    }

    /// Keeps it.
    ///
    /// # Errors
    /// When the state directory cannot be written.
    pub(super) fn save(&self, now: Moment, archives: &BTreeMap<&str, &Archive>) -> io::Result<()> {
        let saved = Saved {
            wall: now.wall,
            steady: now.steady,
            archives,
        };
        saved::write(&self.path, &saved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn moments_are_as_long_ago_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let memory = Memory::new(folder.path());
        let moment = |wall, steady| Moment {
            wall: Timestamp(wall),
            steady: Timestamp(steady),
        };
        let mut archive = Archive::default();
        archive.archived(Timestamp(400), Some((7, Some(Duration::ZERO))));
        // The wall clock had been put forward by 500 while it ran.
        let archives = BTreeMap::from([("shop", &archive)]);
        memory.save(moment(1000, 500), &archives).unwrap();
        let mut read = memory.load(moment(2000, 2000));
        assert_eq!(read["shop"].end_at(Timestamp(899)), None);
        assert_eq!(read["shop"].end_at(Timestamp(900)), Some(7));
        let mut restored = read.remove("shop").unwrap();
        restored.shift(-500);
        assert_eq!(restored, archive);
        assert!(
            memory.load(moment(999, 0)).is_empty(),
            "it is of the future"
        );
        std::fs::write(folder.path().join("exposure.json"), "{").unwrap();
        assert!(memory.load(moment(2000, 0)).is_empty());
    }
}
