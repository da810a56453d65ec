//! What reading each file showed, remembered over restarts by (name, size, time of last change).

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
    known: Vec<Known>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Known {
    name: String,
    bytes: u64,
    modified: Timestamp,
    verdict: Verdict,
}

#[derive(Serialize, Deserialize)]
struct Saved {
    /// Rises when the judgement changes, so that files are read again.
    judgement: u32,
    known: Vec<Known>,
}

const JUDGEMENT: u32 = 1;

impl Verdicts {
    /// What an earlier run has kept; nothing when there is nothing or it cannot be understood.
    pub(super) fn load(state_dir: &Path, source: &str) -> Self {
        let path = state_dir.join(format!("backup-{source}.json"));
        let saved = std::fs::read(&path).ok();
        let saved = saved.and_then(|bytes| serde_json::from_slice::<Saved>(&bytes).ok());
        let saved = saved.filter(|saved| saved.judgement == JUDGEMENT);
        Verdicts {
            path,
            known: saved.map(|saved| saved.known).unwrap_or_default(),
        }
    }

    /// The verdict on a file as it stands.
    pub(super) fn on(&self, found: &Found) -> Option<&Verdict> {
        let known = self.known.iter().find(|known| known.is(found));
        known.map(|known| &known.verdict)
    }

    /// Adds a verdict. The rows of its tables are not kept: a database may have very many.
    pub(super) fn add(&mut self, found: &Found, mut verdict: Verdict) {
        verdict.tables.clear();
        self.known.retain(|known| known.name != found.name);
        self.known.push(Known {
            name: found.name.clone(),
            bytes: found.bytes,
            modified: found.modified,
            verdict,
        });
    }

    /// Forgets files that are gone, and those that could not be read, which may be readable now.
    pub(super) fn prune(&mut self, listed: &[Found]) {
        let names: std::collections::HashSet<&str> =
            listed.iter().map(|found| found.name.as_str()).collect();
        let unreadable = Some(Trouble::Unreadable);
        self.known.retain(|known| {
            names.contains(known.name.as_str()) && known.verdict.trouble != unreadable
        });
    }

    /// Writes aside, then renames.
    pub(super) fn save(&self) -> io::Result<()> {
        let saved = Saved {
            judgement: JUDGEMENT,
            known: self.known.clone(),
        };
        let aside = self.path.with_extension("json.tmp");
        std::fs::write(&aside, serde_json::to_vec(&saved)?)?;
        std::fs::rename(&aside, &self.path)
    }
}

impl Known {
    fn is(&self, found: &Found) -> bool {
        (self.name.as_str(), self.bytes, self.modified)
            == (found.name.as_str(), found.bytes, found.modified)
    }
}
