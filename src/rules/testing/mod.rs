//! promtool's unit tests of rules, over the code that watches in production and a clock of their own. Takes a file of
//! tests; hands on the verdict of each test and, of one that fails, what happened until then.

mod course;
mod difference;
mod file;
mod glob;
mod history;
mod input;
mod junit;
mod notation;
mod report;
mod verdict;

use std::path::{Path, PathBuf};

use regex::Regex;

use crate::document::{Place, Problem, nearest};

use super::{Group, file as rule_file};
use file::TestFile;

pub use junit::junit;

/// What is tested, and how strictly its rules are read.
#[derive(Debug, Clone, Default)]
pub struct TestOptions {
    /// Tests whose names match none of these are left out; without any, all are run.
    pub run: Vec<Regex>,
    /// Whether a key of a rule file that nobody knows is passed over; of tests it never is.
    pub pass_over_unknown: bool,
}

/// What came of a file of tests.
#[derive(Debug, Clone, Default)]
pub struct Tested {
    /// The file's name.
    pub file: String,
    /// What keeps the tests from running: mistakes in the file or in its rule files.
    pub mistakes: Vec<Problem>,
    /// What is no mistake but hardly meant.
    pub warnings: Vec<Problem>,
    /// Each test that was run, in the order of the file.
    pub tests: Vec<TestResult>,
}

/// What came of one test.
#[derive(Debug, Clone)]
pub struct TestResult {
    /// Its name, or its number where it has none.
    pub name: String,
    /// What did not come as expected; none for a test that passes.
    pub failures: Vec<Failure>,
}

/// One expectation that was not met.
#[derive(Debug, Clone)]
pub struct Failure {
    /// Where the expectation stands.
    pub place: Place,
    /// What was expected when, on one line.
    pub what: String,
    /// How it differs and how it came to that, line by line.
    pub details: Vec<String>,
}

impl Tested {
    /// Whether every test passed.
    pub fn passed(&self) -> bool {
        self.mistakes.is_empty() && self.tests.iter().all(|test| test.failures.is_empty())
    }
}

/// Runs the tests of a file. One that cannot be read, and rule files that cannot, are mistakes of it.
pub fn test_file(name: &str, options: &TestOptions) -> Tested {
    let mut tested = Tested {
        file: name.to_owned(),
        ..Tested::default()
    };
    match std::fs::read_to_string(name) {
        Ok(text) => tested.run(&text, options),
        Err(error) => {
            let message = format!("cannot be read: {error}");
            tested.mistakes.push(Problem::at(&Place::of(name), message));
        }
    }
    tested
}

impl Tested {
    fn run(&mut self, text: &str, options: &TestOptions) {
        let read = file::read(&self.file, text);
        let read = read.and_then(|file| {
            let folder = Path::new(&self.file).parent().unwrap_or(Path::new(""));
            let (paths, missing) = file.rule_files(folder)?;
            self.warnings.extend(missing);
            Ok((file, paths))
        });
        let (file, paths) = match read {
            Ok(read) => read,
            Err(mistakes) => return self.mistakes.extend(mistakes),
        };
        let chosen = |name: &str| {
            options.run.is_empty() || options.run.iter().any(|pattern| pattern.is_match(name))
        };
        let tests = file.tests.iter().enumerate();
        let tests: Vec<_> = tests.filter(|(_, test)| chosen(&test.name)).collect();
        // Rule files are looked into only where there is a test for them.
        if tests.is_empty() {
            return;
        }
        let groups = self.groups(&file, &paths, options.pass_over_unknown);
        if !self.mistakes.is_empty() {
            return;
        }
        for (number, test) in tests {
            let (failures, warnings) = verdict::of(test, &file, &groups);
            self.warnings.extend(warnings);
            let name = match test.name.as_str() {
                "" => format!("unnamed#{number}"),
                name => name.to_owned(),
            };
            self.tests.push(TestResult { name, failures });
        }
    }

    /// The groups of all rule files, in the order of their evaluation.
    fn groups(
        &mut self,
        file: &TestFile,
        paths: &[PathBuf],
        pass_over_unknown: bool,
    ) -> Vec<Group> {
        let mut groups = Vec::new();
        for path in paths {
            let name = path.display().to_string();
            let read = std::fs::read_to_string(path)
                .map_err(|error| {
                    let message = format!("cannot be read: {error}");
                    vec![Problem::at(&Place::of(&name), message)]
                })
                .and_then(|text| {
                    let strictness = rule_file::Strictness { pass_over_unknown };
                    rule_file::parse(&name, &text, file.interval, strictness)
                });
            match read {
                Ok(read) => groups.extend(read.groups),
                Err(mistakes) => self.mistakes.extend(mistakes),
            }
        }
        // As in promtool, a group that is not named comes with the first that is.
        groups.sort_by_key(|group| {
            let place = file.order.iter().position(|name| **name == *group.name);
            place.unwrap_or(0)
        });
        groups
    }
}

/// The way out where no alert is called as the test expects.
fn did_you_mean(groups: &[Group], alert: &str) -> Option<String> {
    let rules = groups.iter().flat_map(|group| &group.rules);
    let names: Vec<&str> = rules
        .filter(|rule| rule.alerting().is_some())
        .map(|rule| &*rule.name)
        .collect();
    match names.contains(&alert) {
        true => None,
        false => Some(match nearest(alert, &names) {
            Some(near) => format!("no rule is called `{alert}`; did you mean `{near}`?"),
            None => format!("no rule of these files is called `{alert}`"),
        }),
    }
}
