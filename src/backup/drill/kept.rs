//! The clusters of drills that were to be kept. Nobody removes them but who wanted them, so that they are told of.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::folder::KEPT;
use super::run::work_dir;
use super::settings::Settings;
use crate::sample::Timestamp;
use crate::words;

/// The folder of a drill that was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Where it is.
    pub path: PathBuf,
    /// What lies in it, in bytes; `None` where that may not be read.
    pub bytes: Option<u64>,
    /// When something was last put into it or taken out.
    pub since: Timestamp,
}

/// All of them below the folders that these drills work in, and the one that any other does. This reads them.
pub fn kept(drills: &[Settings], state_dir: &Path) -> Vec<Kept> {
    let places = drills.iter().map(|drill| work_dir(drill, state_dir));
    let usual = std::iter::once(work_dir(&Settings::usual(""), state_dir));
    let places: BTreeSet<PathBuf> = places.chain(usual).collect();
    let entries = places.iter().filter_map(|place| fs::read_dir(place).ok());
    let is_kept = |entry: &fs::DirEntry| entry.file_name().to_string_lossy().starts_with(KEPT);
    let kept = entries.flatten().flatten().filter(is_kept);
    let mut kept: Vec<Kept> = kept
        .filter_map(|entry| Kept::of(entry.path()).ok())
        .collect();
    kept.sort_by(|one, other| one.path.cmp(&other.path));
    kept
}

impl Kept {
    fn of(path: PathBuf) -> io::Result<Kept> {
        let since = fs::symlink_metadata(&path)?.modified()?;
        let since = since.duration_since(std::time::UNIX_EPOCH);
        Ok(Kept {
            bytes: size(&path).ok(),
            since: Timestamp(since.unwrap_or_default().as_millis() as i64),
            path,
        })
    }

    /// A sentence for a person, and the way to be rid of it.
    pub fn words(&self, now: Timestamp) -> String {
        let path = self.path.display().to_string();
        let path: String = path
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        let size = match self.bytes {
            Some(bytes) => words::bytes(bytes as f64),
            None => "how large it is may not be read".into(),
        };
        let age = words::span(now.since(self.since));
        format!("`{path}` was kept by a drill {age} ago: {size}; nothing removes it but `rm -r`")
    }
}

fn size(path: &Path) -> io::Result<u64> {
    let metadata = fs::symlink_metadata(path)?;
    if !metadata.is_dir() {
        return Ok(metadata.len());
    }
    let mut bytes = 0;
    for entry in fs::read_dir(path)? {
        bytes += size(&entry?.path())?;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_is_told_with_size_and_age() {
        let state = tempfile::tempdir().unwrap();
        let own = tempfile::tempdir().unwrap();
        let drill = Settings {
            work_dir: Some(own.path().into()),
            ..Settings::usual("a")
        };
        assert_eq!(kept(std::slice::from_ref(&drill), state.path()), []);
        for folder in [own.path().to_owned(), state.path().join("drill")] {
            fs::create_dir_all(folder.join("kept-1/base")).unwrap();
            fs::create_dir_all(folder.join("drill-2")).unwrap();
            fs::write(folder.join("kept-1/base/data"), [0; 3000]).unwrap();
            fs::write(folder.join("lock"), "").unwrap();
        }
        let found = kept(&[drill.clone(), drill], state.path());
        let mut paths: Vec<&Path> = found.iter().map(|kept| &*kept.path).collect();
        paths.sort();
        let mut expected = [own.path().join("kept-1"), state.path().join("drill/kept-1")];
        expected.sort();
        assert_eq!(paths, expected);
        let one = Kept {
            path: "/w/kept-1".into(),
            bytes: found[0].bytes,
            since: Timestamp(0),
        };
        assert_eq!(
            one.words(Timestamp(3 * 86_400_000)),
            "`/w/kept-1` was kept by a drill 3 d ago: 2.93 KiB; nothing removes it but `rm -r`"
        );
    }
}
