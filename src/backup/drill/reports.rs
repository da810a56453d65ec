//! The reports of finished drills, a file each in the state directory: a drill by hand and the watch share them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::folder::leave_to_owner;
use super::{Outcome, Report};
use crate::sample::Timestamp;

/// Where reports are kept.
#[derive(Debug, Clone)]
pub struct Reports {
    folder: PathBuf,
}

/// Older ones of a source are forgotten.
const KEPT: usize = 30;

impl Reports {
    /// Those below a state directory.
    pub fn new(state_dir: &Path) -> Self {
        Reports {
            folder: state_dir.join("drills"),
        }
    }

    /// All that are kept, the newest first; what cannot be understood is passed over.
    pub fn all(&self) -> Vec<Report> {
        let files = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let read = |path: PathBuf| serde_json::from_slice(&fs::read(path).ok()?).ok();
        let mut reports: Vec<Report> = files.filter_map(|file| read(file.path())).collect();
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
        Ok(())
    }

    /// The backups of a source that were restored, and when that began.
    pub(in crate::backup) fn restored(&self, source: &str) -> Vec<(String, Timestamp)> {
        let all = self.all().into_iter();
        let good = all.filter(|report| report.source == source && report.is_good());
        good.map(|report| (report.backup, report.started)).collect()
    }

    fn path(&self, report: &Report) -> PathBuf {
        let name = format!("{}-{}.json", report.source, report.finished.0);
        self.folder.join(name)
    }
}
