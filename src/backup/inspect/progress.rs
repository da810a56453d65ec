//! Which files of a folder have been read already, kept over restarts: a base backup of a terabyte takes hours to read.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use crate::sample::Timestamp;

/// The files of one artefact that were read and found right.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    path: Option<PathBuf>,
    done: HashSet<String>,
    file: RefCell<Option<File>>,
}

/// More is not read back: then it begins anew.
const LONGEST: u64 = 256 << 20;

impl Progress {
    /// What an earlier reading of the same artefact has left at this path; nothing when that was of another one.
    pub(crate) fn resume(path: &Path, artefact: &str) -> Progress {
        let title = line(&[artefact]);
        let (done, start) = match left(path, &title) {
            Ok(Some((done, is_torn))) => (done, if is_torn { "\n" } else { "" }),
            _ => (HashSet::new(), title.as_str()),
        };
        let mut options = OpenOptions::new();
        let options = match start == title {
            true => options.write(true).create(true).truncate(true),
            false => options.append(true),
        };
        let begun = options
            .open(path)
            .and_then(|mut file| file.write_all(start.as_bytes()).map(|()| file));
        // Where nothing can be kept, nothing is: it is read again after a restart.
        Progress {
            path: Some(path.into()),
            done,
            file: RefCell::new(begun.ok()),
        }
    }

    /// The artefact whose reading was broken off.
    pub(crate) fn begun(path: &Path) -> Option<String> {
        let mut first = String::new();
        let file = File::open(path).ok()?;
        BufReader::new(file.take(64 << 10))
            .read_line(&mut first)
            .ok()?;
        let [artefact]: [String; 1] = serde_json::from_str(&first).ok()?;
        Some(artefact)
    }

    /// Whether the file was read as it stands.
    pub(crate) fn has(&self, path: &str, bytes: u64, modified: Timestamp) -> bool {
        !self.done.is_empty() && self.done.contains(&entry(path, bytes, modified))
    }

    /// Notes that the file was read and is right.
    pub(crate) fn add(&self, path: &str, bytes: u64, modified: Timestamp) {
        let mut file = self.file.borrow_mut();
        let kept = file
            .as_mut()
            .map(|file| file.write_all(entry(path, bytes, modified).as_bytes()));
        if matches!(kept, Some(Err(_))) {
            *file = None;
        }
    }

    /// Forgets everything: there is a verdict.
    pub(crate) fn end(self) {
        if let Some(path) = self.path {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// The lines that were kept, and whether the last one was being written when everything stopped.
fn left(path: &Path, title: &str) -> io::Result<Option<(HashSet<String>, bool)>> {
    let mut reader = BufReader::new(File::open(path)?.take(LONGEST));
    let mut first = String::new();
    reader.read_line(&mut first)?;
    if first != title {
        return Ok(None);
    }
    let mut done = HashSet::new();
    loop {
        let mut line = String::new();
        match reader.read_line(&mut line)? {
            0 => return Ok(Some((done, false))),
            _ if !line.ends_with('\n') => return Ok(Some((done, true))),
            _ => done.insert(line),
        };
    }
}

fn entry(path: &str, bytes: u64, modified: Timestamp) -> String {
    line(&[path, &bytes.to_string(), &modified.0.to_string()])
}

/// Fields on one line, whatever is in them.
fn line(fields: &[&str]) -> String {
    serde_json::json!(fields).to_string() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_is_not_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("progress");
        let (file, other) = ("base/1/\n1259", "base/1/1260");
        let first = Progress::resume(&path, "monday");
        assert!(!first.has(file, 8192, Timestamp(5)));
        first.add(file, 8192, Timestamp(5));
        drop(first);
        let again = Progress::resume(&path, "monday");
        assert!(again.has(file, 8192, Timestamp(5)));
        assert!(!again.has(file, 8193, Timestamp(5)) && !again.has(file, 8192, Timestamp(6)));
        again.add(other, 1, Timestamp(5));
        drop(again);
        // Cut while a line was written: that one is not believed, and the next does not go on in it.
        let text = std::fs::read(&path).unwrap();
        std::fs::write(&path, &text[..text.len() - 2]).unwrap();
        let torn = Progress::resume(&path, "monday");
        assert!(torn.has(file, 8192, Timestamp(5)) && !torn.has(other, 1, Timestamp(5)));
        torn.add(other, 1, Timestamp(5));
        assert_eq!(Progress::begun(&path).as_deref(), Some("monday"));
        assert!(Progress::resume(&path, "monday").has(other, 1, Timestamp(5)));
        assert!(!Progress::resume(&path, "tuesday").has(file, 8192, Timestamp(5)));
        Progress::resume(&path, "tuesday").end();
        assert!(!path.exists());
        Progress::default().add(file, 1, Timestamp(5));
    }
}
