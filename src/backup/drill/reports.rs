//! The reports of finished drills, a file each in the state directory: a drill by hand and the watch share them. What was
//! read is known from then on, to all who share it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::folder::leave_to_owner;
use super::{Outcome, Report};
use crate::sample::Timestamp;

/// Where reports are kept, and what is known of them; clones know the same.
#[derive(Debug, Clone)]
pub struct Reports {
    folder: PathBuf,
    known: Arc<Mutex<BTreeMap<OsString, Option<Report>>>>,
}

/// Older ones of a source are forgotten.
const KEPT: usize = 30;
/// How the files end.
const ENDING: &str = "json";

impl Reports {
    /// Those below a state directory, none of which is known yet.
    pub fn new(state_dir: &Path) -> Self {
        Reports {
            folder: state_dir.join("drills"),
            known: Arc::default(),
        }
    }

    /// Reads what has come since the last time, and forgets what has gone. A report is never written to, so that none is
    /// read twice.
    pub fn refresh(&self) {
        let files = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let there = files.filter(|file| file.path().extension().is_some_and(|end| end == ENDING));
        let there: Vec<OsString> = there.map(|file| file.file_name()).collect();
        let before = self.known().clone();
        let report = |name: &OsString| match before.get(name) {
            Some(known) => known.clone(),
            None => serde_json::from_slice(&fs::read(self.folder.join(name)).ok()?).ok(),
        };
        let after = there.into_iter().map(|name| (name.clone(), report(&name)));
        let after: BTreeMap<OsString, Option<Report>> = after.collect();
        *self.known() = after;
    }

    /// All that are known, the newest first; what cannot be understood is passed over.
    pub fn all(&self) -> Vec<Report> {
        let mut reports: Vec<Report> = self.known().values().flatten().cloned().collect();
        reports.sort_by_key(|report| std::cmp::Reverse(report.finished));
        reports
    }

    /// Keeps one: written aside, then renamed.
    ///
    /// # Errors
    /// When the state directory cannot be written.
    pub fn keep(&self, report: &Report) -> io::Result<()> {
        if !self.folder.exists() {
            fs::create_dir_all(&self.folder)?;
            leave_to_owner(&self.folder)?;
        }
        let path = self.path(report);
        let aside = path.with_extension("tmp");
        fs::write(&aside, serde_json::to_vec_pretty(report)?)?;
        leave_to_owner(&aside)?;
        fs::rename(&aside, &path)?;
        self.refresh();
        let all = self.all();
        let own = || all.iter().filter(|other| other.source == report.source);
        // What could not be tried is tried often, and must not push out what was.
        let was_tried = |other: &&Report| !matches!(other.outcome, Outcome::Impossible(_));
        for old in own().filter(|other| !was_tried(other) && other.finished < report.finished) {
            let _ = fs::remove_file(self.path(old));
        }
        let own = own().filter(was_tried);
        for old in own.skip(KEPT) {
            let _ = fs::remove_file(self.path(old));
        }
        self.refresh();
        Ok(())
    }

    /// The backups of a source that were restored, and when that began.
    pub(in crate::backup) fn restored(&self, source: &str) -> Vec<(String, Timestamp)> {
        let known = self.known();
        let all = known.values().flatten();
        let good = all.filter(|report| report.source == source && report.is_good());
        good.map(|report| (report.backup.clone(), report.started))
            .collect()
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<OsString, Option<Report>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, report: &Report) -> PathBuf {
        let name = format!("{}-{}.{ENDING}", report.source, report.finished.0);
        self.folder.join(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_is_known_and_what_others_write_is_read() {
        let state = tempfile::tempdir().unwrap();
        let (ours, by_hand) = (Reports::new(state.path()), Reports::new(state.path()));
        let report =
            |backup: &str, at: i64| Report::sample("a", backup, Timestamp(at), Outcome::Restored);
        let restored = |reports: &Reports| -> Vec<String> {
            let restored = reports.restored("a").into_iter();
            restored.map(|(backup, _)| backup).collect()
        };
        ours.keep(&report("1", 4_000_000)).unwrap();
        let shared = ours.clone();
        assert_eq!(
            (restored(&shared), restored(&ours)),
            (vec!["1".into()], vec!["1".into()])
        );
        assert!(restored(&by_hand).is_empty(), "nobody has looked");

        by_hand.keep(&report("2", 5_000_000)).unwrap();
        assert_eq!(restored(&by_hand), ["1", "2"]);
        assert_eq!(restored(&ours), ["1"]);
        fs::write(state.path().join("drills/half.json"), "{").unwrap();
        ours.refresh();
        assert_eq!(ours.all(), [report("2", 5_000_000), report("1", 4_000_000)]);

        // Asking reads nothing.
        fs::remove_dir_all(state.path().join("drills")).unwrap();
        assert_eq!(restored(&ours), ["1", "2"]);
        ours.refresh();
        assert!(ours.all().is_empty());
    }
}
