//! One rule file, judged as `promtool check rules` judges it. Takes its text; hands on every mistake and doubt.

use std::time::Duration;

use crate::document::Problem;

use super::Group;
use super::file::{Strictness, parse};

/// What is to be said of a rule file.
#[derive(Debug, Clone, Default)]
pub struct Checked {
    /// What it holds; nothing where it has mistakes.
    pub groups: Vec<Group>,
    /// Why it cannot be used.
    pub mistakes: Vec<Problem>,
    /// Rules with the name and the labels of one before.
    pub duplicates: Vec<Problem>,
    /// What else is hardly meant.
    pub doubts: Vec<Problem>,
}

impl Checked {
    /// How many rules it holds.
    pub fn rules(&self) -> usize {
        self.groups.iter().map(|group| group.rules.len()).sum()
    }
}

/// Judges a file by its text.
pub fn check(name: &str, text: &str, pass_over_unknown: bool) -> Checked {
    // The interval of groups is not looked at, so any will do.
    match parse(name, text, Duration::ZERO, Strictness { pass_over_unknown }) {
        Ok(read) => Checked {
            groups: read.groups,
            mistakes: Vec::new(),
            duplicates: read.duplicates,
            doubts: read.doubts,
        },
        Err(mistakes) => Checked {
            mistakes,
            ..Checked::default()
        },
    }
}
