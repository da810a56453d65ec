//! What people have attested: a file in the state directory to which lines are added, so that the running watch and the
//! command line share it, and what was said stays to be read.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::finding::{named, quoted};
use crate::sample::Timestamp;
use crate::words;

/// What a person says of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attestation {
    /// The line's name.
    pub line: String,
    /// Who says so.
    pub by: String,
    /// What they add; may be empty.
    #[serde(default)]
    pub note: String,
    /// When it was done.
    pub at: Timestamp,
    /// When it was said.
    pub said: Timestamp,
    /// That what was said before no longer holds.
    #[serde(default)]
    pub is_withdrawn: bool,
}

impl Attestation {
    /// A sentence for people.
    pub(super) fn words(&self) -> String {
        let when = words::clock(self.at);
        let note = if self.note.is_empty() {
            String::new()
        } else {
            format!(": {}", quoted(&self.note, 1000))
        };
        format!("attested by {} on {when} UTC{note}", named(&self.by))
    }
}

/// Where they are kept.
#[derive(Debug, Clone)]
pub struct Attestations {
    path: PathBuf,
}

impl Attestations {
    /// Those below a state directory.
    pub fn new(state_dir: &Path) -> Self {
        Attestations {
            path: state_dir.join("attestations.jsonl"),
        }
    }

    /// The last word on each line, without what was withdrawn; what cannot be understood is passed over.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub fn all(&self) -> io::Result<Vec<Attestation>> {
        let bytes = match fs::read(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            read => read?,
        };
        let mut last: Vec<Attestation> = Vec::new();
        for line in bytes.split(|byte| *byte == b'\n') {
            let Ok(said) = serde_json::from_slice::<Attestation>(line) else {
                continue;
            };
            last.retain(|before| before.line != said.line);
            last.push(said);
        }
        last.retain(|said| !said.is_withdrawn);
        Ok(last)
    }

    /// Adds one, and waits until it is on the disk.
    ///
    /// # Errors
    /// When the state directory cannot be written.
    pub fn add(&self, said: &Attestation) -> io::Result<()> {
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut file = File::options()
            .create(true)
            .read(true)
            .append(true)
            .open(&self.path)?;
        let mut line = serde_json::to_vec(said)?;
        line.push(b'\n');
        // What a crash has left half-written must not spoil this one.
        if !ends_with_a_line(&mut file)? {
            line.insert(0, b'\n');
        }
        file.write_all(&line)?;
        file.sync_data()
    }
}

fn ends_with_a_line(file: &mut File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(true);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(line: &str, by: &str, is_withdrawn: bool) -> Attestation {
        Attestation {
            line: line.into(),
            by: by.into(),
            note: "a \"note\"\nof two lines".into(),
            at: Timestamp(1),
            said: Timestamp(2),
            is_withdrawn,
        }
    }

    #[test]
    fn the_last_word_on_a_line_counts() {
        let folder = tempfile::tempdir().unwrap();
        let state_dir = folder.path().join("state");
        let all = || Attestations::new(&state_dir).all().unwrap();
        assert_eq!(all(), []);
        let file = Attestations::new(&state_dir);
        file.add(&said("a", "rachel", false)).unwrap();
        file.add(&said("b", "monica", false)).unwrap();
        file.add(&said("a", "ross", false)).unwrap();
        assert_eq!(
            all(),
            [said("b", "monica", false), said("a", "ross", false)]
        );
        file.add(&said("b", "", true)).unwrap();
        assert_eq!(all(), [said("a", "ross", false)]);
        let mut torn = File::options()
            .append(true)
            .open(state_dir.join("attestations.jsonl"))
            .unwrap();
        torn.write_all(b"{\"line\":\"a\",\"by\"").unwrap();
        assert_eq!(all(), [said("a", "ross", false)]);
        file.add(&said("c", "joey", false)).unwrap();
        assert_eq!(all(), [said("a", "ross", false), said("c", "joey", false)]);
    }
}
