//! What reading each file showed, remembered over restarts by (name, size, time of last change, version).

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::files::{Beside, Found};
use super::{Trouble, Verdict, needs, saved};
use crate::sample::Timestamp;

/// The verdicts of one source.
#[derive(Debug)]
pub(super) struct Verdicts {
    path: PathBuf,
    /// Tables whose rows are asked for.
    asked: BTreeSet<String>,
    known: BTreeMap<String, Known>,
}

/// What is known of one file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Known {
    bytes: u64,
    modified: Timestamp,
    version: Option<String>,
    beside: Option<Beside>,
    /// Tables whose rows were asked for.
    asked: BTreeSet<String>,
    pub(super) verdict: Verdict,
    /// When it had been read: it was finished before, whatever its time of last change says.
    pub(super) judged: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct Saved<T> {
    /// Rises when the judgement changes, so that files are read again.
    judgement: u32,
    known: T,
}

const JUDGEMENT: u32 = 5;

impl Verdicts {
    /// What an earlier run has kept; nothing when there is nothing or it cannot be understood.
    pub(super) fn load(state_dir: &Path, source: &str, asked: BTreeSet<String>) -> Self {
        let path = state_dir.join(format!("backup-{source}.json"));
        let saved = saved::read::<Saved<_>>(&path);
        let saved = saved.filter(|saved| saved.judgement == JUDGEMENT);
        Verdicts {
            path,
            asked,
            known: saved.map(|saved| saved.known).unwrap_or_default(),
        }
    }

    /// The verdict on a file as it stands.
    pub(super) fn on(&self, found: &Found) -> Option<&Known> {
        let known = self.known.get(&found.name)?;
        let is_same = (known.bytes, known.modified, &known.version, &known.beside)
            == (found.bytes, found.modified, &found.version, &found.beside);
        (is_same && self.asked.is_subset(&known.asked)).then_some(known)
    }

    /// Adds a verdict. The rows of tables that nobody asked for are not kept: a database may have very many.
    pub(super) fn add(&mut self, found: &Found, mut verdict: Verdict, judged: Timestamp) {
        let is_asked = |name: &String, table: &_| needs::is_named(table, name);
        verdict
            .tables
            .retain(|table| self.asked.iter().any(|name| is_asked(name, table)));
        let known = Known {
            bytes: found.bytes,
            modified: found.modified,
            version: found.version.clone(),
            beside: found.beside.clone(),
            asked: self.asked.clone(),
            verdict,
            judged,
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

    /// Keeps them.
    ///
    /// # Errors
    /// When the state directory cannot be written.
    pub(super) fn save(&self) -> io::Result<()> {
        let saved = Saved {
            judgement: JUDGEMENT,
            known: &self.known,
        };
        saved::write(&self.path, &saved)
    }
}
