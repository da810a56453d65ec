//! The rules in force: the embedded set and the user's files, less what is disabled, with the overrides applied.

mod changes;
mod doubts;

use crate::document::{Place, Problem, read_matching};

use super::embedded::{DEFAULT, EXAMPLES, example_names};
use super::file::Strictness;
use super::{Alert, Group, Rule, Settings, file};
use changes::{change, disable};

/// Every group in force and what is worth knowing about them.
#[derive(Debug, Clone, Default)]
pub struct RuleSet {
    /// The embedded groups, then those of the user's files.
    pub groups: Vec<Group>,
    /// What is no mistake but hardly meant: duplicate rules, a second document in a file.
    pub warnings: Vec<Problem>,
}

impl RuleSet {
    /// The rule that an alert is of: of several with one name that which sets its labels.
    pub fn of(&self, alert: &Alert) -> Option<&Rule> {
        let mut rules = self.groups.iter().flat_map(|group| &group.rules);
        rules.find(|rule| rule.owns(alert))
    }

    /// Alerts whose rule is no longer in force; to be ended with [`Alert::ended`].
    pub fn orphans<'a>(&self, alerts: impl IntoIterator<Item = &'a Alert>) -> Vec<&'a Alert> {
        let alerts = alerts.into_iter();
        alerts.filter(|alert| self.of(alert).is_none()).collect()
    }

    fn recording(&self) -> impl Iterator<Item = &Rule> {
        let rules = self.groups.iter().flat_map(|group| &group.rules);
        rules.filter(|rule| rule.alerting().is_none())
    }

    fn alerting(&self) -> impl Iterator<Item = &Rule> {
        let rules = self.groups.iter().flat_map(|group| &group.rules);
        rules.filter(|rule| rule.alerting().is_some())
    }
}

/// Reads the embedded and the configured files and applies the settings.
///
/// # Errors
/// Every mistake in the files and in the settings, in one run.
pub fn load(settings: &Settings) -> Result<RuleSet, Vec<Problem>> {
    let (mut set, mut problems) = (RuleSet::default(), Vec::new());
    let embedded = DEFAULT.map(|(name, text)| (name.to_owned(), text.to_owned()));
    match configured(&settings.files) {
        Ok(files) => {
            for (name, text) in embedded.into_iter().chain(files) {
                match file::parse(&name, &text, settings.interval, Strictness::default()) {
                    Ok(read) => {
                        set.groups.extend(read.groups);
                        set.warnings.extend(read.doubts);
                        set.warnings.extend(read.duplicates);
                    }
                    Err(mistakes) => problems.extend(mistakes),
                }
            }
        }
        Err(mistakes) => problems.extend(mistakes),
    }
    // With a file missing, nothing can be said about the names in the settings.
    if problems.is_empty() {
        problems.extend(change(&mut set, settings));
        problems.extend(disable(&mut set, &settings.disable));
    }
    if problems.is_empty() {
        Ok(set)
    } else {
        Err(problems)
    }
}

/// The user's files, the examples among them.
fn configured(names: &[String]) -> Result<Vec<(String, String)>, Vec<Problem>> {
    let (examples, patterns): (Vec<_>, Vec<_>) = names
        .iter()
        .cloned()
        .partition(|name| name.starts_with("example:"));
    let mut files = Vec::new();
    let mut problems = Vec::new();
    for name in examples {
        match EXAMPLES.iter().find(|(known, _)| *known == name) {
            Some((_, text)) => files.push((name, (*text).to_owned())),
            None => problems.push(mistaken(
                "files",
                format!("there is no `{name}`; there are {}", example_names()),
            )),
        }
    }
    match read_matching("rules.files", &patterns) {
        Ok(read) => files.extend(read),
        Err(mistakes) => problems.extend(mistakes),
    }
    if problems.is_empty() {
        Ok(files)
    } else {
        Err(problems)
    }
}

fn nearest<'n>(word: &str, known: impl Iterator<Item = &'n String>) -> Option<&'n str> {
    let scored = known.map(|candidate| {
        (
            strsim::damerau_levenshtein(word, candidate),
            candidate.as_str(),
        )
    });
    scored
        .min()
        .filter(|(distance, _)| *distance * 3 <= word.len())
        .map(|(_, near)| near)
}

fn mistaken(setting: &str, message: String) -> Problem {
    Problem {
        path: format!("rules.{setting}"),
        ..Problem::at(&Place::of("configuration"), message)
    }
}

#[cfg(test)]
mod tests;
