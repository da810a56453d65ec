//! A file of tests: what it holds, and which rule files it means.

mod read;
mod values;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::document::{Place, Problem};
use crate::sample::{Labels, Timestamp};

use super::glob::glob;

pub(super) use read::read;

/// A file of tests.
pub(super) struct TestFile {
    rule_files: Vec<(String, Place)>,
    /// How often all rules are evaluated, whatever their groups say.
    pub(super) interval: Duration,
    /// Whether values that differ in their last bit alone are the same.
    pub(super) fuzzy: bool,
    /// The names of groups, in the order of their evaluation.
    pub(super) order: Vec<String>,
    pub(super) tests: Vec<Test>,
}

/// Series, and what is expected over them.
pub(super) struct Test {
    /// Empty for a test without a name.
    pub(super) name: String,
    /// The time between two values of a series.
    pub(super) interval: Duration,
    /// The moment from which all is counted.
    pub(super) start: Timestamp,
    pub(super) input: Vec<Written>,
    pub(super) alerts: Vec<AlertCase>,
    pub(super) expressions: Vec<ExpressionCase>,
    pub(super) external_labels: Labels,
    pub(super) external_url: String,
}

/// A series as it is written.
pub(super) struct Written {
    pub(super) place: Place,
    pub(super) series: String,
    pub(super) values: String,
}

/// The alerts of one name that should fire at a time.
pub(super) struct AlertCase {
    pub(super) place: Place,
    pub(super) at: Duration,
    pub(super) alert: String,
    pub(super) expected: Vec<ExpectedAlert>,
}

/// An alert that should fire.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ExpectedAlert {
    pub(super) labels: BTreeMap<String, String>,
    pub(super) annotations: BTreeMap<String, String>,
}

/// The value that an expression should have at a time.
pub(super) struct ExpressionCase {
    pub(super) place: Place,
    pub(super) at: Duration,
    pub(super) text: String,
    /// Labels as they are written, and values.
    pub(super) expected: Vec<(String, f64)>,
}

impl TestFile {
    /// Every rule file, those of relative names under the folder of the tests; and what pattern means no file, which is
    /// no mistake.
    ///
    /// # Errors
    /// The patterns that are none.
    pub(super) fn rule_files(
        &self,
        folder: &Path,
    ) -> Result<(Vec<PathBuf>, Vec<Problem>), Vec<Problem>> {
        let (mut files, mut missing, mut mistakes) = (Vec::new(), Vec::new(), Vec::new());
        let patterns = self.rule_files.iter();
        for (pattern, place) in patterns.filter(|(pattern, _)| !pattern.is_empty()) {
            match glob(&folder.join(pattern)) {
                Ok(found) if found.is_empty() => {
                    missing.push(Problem::at(place, format!("no file matches `{pattern}`")));
                }
                // A file that two patterns mean counts once.
                Ok(found) => {
                    for path in found {
                        if !files.contains(&path) {
                            files.push(path);
                        }
                    }
                }
                Err(cause) => mistakes.push(Problem::at(place, cause)),
            }
        }
        if mistakes.is_empty() {
            Ok((files, missing))
        } else {
            Err(mistakes)
        }
    }
}
