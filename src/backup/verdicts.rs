//! What reading each file showed, remembered over restarts by (name, size, time of last change, version).

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::files::Found;
use super::{Trouble, Verdict};
use crate::sample::Timestamp;

/// The verdicts of one source.
#[derive(Debug)]
pub(super) struct Verdicts {
    path: PathBuf,
    known: BTreeMap<String, Known>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Known {
    bytes: u64,
    modified: Timestamp,
    version: Option<String>,
    verdict: Verdict,
}

#[derive(Serialize, Deserialize)]
struct Saved<T> {
    /// Rises when the judgement changes, so that files are read again.
    judgement: u32,
    known: T,
}

const JUDGEMENT: u32 = 2;

impl Verdicts {
    /// What an earlier run has kept; nothing when there is nothing or it cannot be understood.
    pub(super) fn load(state_dir: &Path, source: &str) -> Self {
        let path = state_dir.join(format!("backup-{source}.json"));
        let saved = std::fs::read(&path).ok();
        let saved: Option<Saved<_>> = saved.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let saved = saved.filter(|saved| saved.judgement == JUDGEMENT);
        Verdicts {
            path,
            known: saved.map(|saved| saved.known).unwrap_or_default(),
        }
    }

    /// The verdict on a file as it stands.
    pub(super) fn on(&self, found: &Found) -> Option<&Verdict> {
        let known = self.known.get(&found.name)?;
        let is_same = (known.bytes, known.modified, &known.version)
            == (found.bytes, found.modified, &found.version);
        is_same.then_some(&known.verdict)
    }

    /// Adds a verdict. The rows of its tables are not kept: a database may have very many.
    pub(super) fn add(&mut self, found: &Found, mut verdict: Verdict) {
        verdict.tables = Vec::new();
        let known = Known {
            bytes: found.bytes,
            modified: found.modified,
            version: found.version.clone(),
            verdict,
        };
        self.known.insert(found.name.clone(), known);
    }

    /// Forgets files that are gone, and those that could not be read, which may be readable now.
    pub(super) fn prune(&mut self, listed: &[Found]) {
        let names: HashSet<&str> = listed.iter().map(|found| found.name.as_str()).collect();
        self.known.retain(|name, known| {
            names.contains(name.as_str()) && known.verdict.trouble != Some(Trouble::Unreadable)
        });
    }

    /// Writes aside, then renames.
    ///
    /// # Errors
    /// When the state directory cannot be written.
    pub(super) fn save(&self) -> io::Result<()> {
        let saved = Saved {
            judgement: JUDGEMENT,
            known: &self.known,
        };
        let aside = self.path.with_extension("json.tmp");
        std::fs::write(&aside, serde_json::to_vec(&saved)?)?;
        std::fs::rename(&aside, &self.path)
    }
}
