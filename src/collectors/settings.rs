//! `collect:` in the configuration.

use std::time::Duration;

use super::catalog;
use crate::document::Section;

/// Which collectors run, how often, and within which bounds.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The interval of quick collectors; slower ones declare multiples of it.
    pub interval: Duration,
    /// The most a statement may take, unless its collector says otherwise.
    pub timeout: Duration,
    /// Names of collectors to leave out.
    pub disable: Vec<String>,
    /// Names of collectors to run that are off by default.
    pub enable: Vec<String>,
    /// Files with collectors of the user's own; `*` and `?` match in the file name.
    pub include: Vec<String>,
    /// The most series of one collector on one server (and database).
    pub max_series: usize,
    /// Statements and transactions older than this count as long-running.
    pub long_query: Duration,
    /// Changes by collector name.
    pub overrides: Vec<(String, Override)>,
}

/// A change to a collector without copying it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Override {
    /// A new interval.
    pub interval: Option<Duration>,
    /// A new timeout.
    pub timeout: Option<Duration>,
}

impl Settings {
    /// Reads the section.
    pub fn read(s: &mut Section) -> Self {
        let settings = Settings {
            interval: s.duration("interval", "15s", "How often quick collectors are read; slower ones are read every so many times this."),
            timeout: s.duration("timeout", "5s", "The most a statement may take before it is cancelled, unless its collector says otherwise."),
            disable: s.texts("disable", "Names of collectors to leave out."),
            enable: s.texts("enable", "Names of collectors to run that are off by default."),
            include: s.texts("include", "Files with collectors of your own; `*` and `?` match in the file name."),
            max_series: s.count("max_series", "30000", "The most series of one collector on one server and database; what is dropped is counted.") as usize,
            long_query: s.duration("long_query", "5m", "Statements and transactions older than this count as long-running."),
            overrides: s.map("override", "Changes to a collector by its name.", |_, s| Override {
                interval: s.optional_duration("interval", "How often it is read."),
                timeout: s.optional_duration("timeout", "The most its statement may take."),
            }),
        };
        settings.check(s);
        settings
    }

    /// The value that stands for `${NAME}` in a statement, as an SQL literal.
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        match name {
            "long_query" => Some(self.long_query.as_secs_f64().to_string()),
            _ => None,
        }
    }

    /// The change to a collector; none when nothing was written.
    pub(super) fn changes(&self, collector: &str) -> Override {
        let mut named = self.overrides.iter();
        named
            .find(|(name, _)| name == collector)
            .map(|(_, change)| change.clone())
            .unwrap_or_default()
    }

    fn check(&self, s: &Section) {
        for (key, duration) in [("interval", self.interval), ("timeout", self.timeout)] {
            if duration.is_zero() {
                s.problem(key, "must be longer than zero", None);
            }
        }
        // A name that is not built in may come from an included file, which is read later.
        if !self.include.is_empty() {
            return;
        }
        let overridden: Vec<String> = self
            .overrides
            .iter()
            .map(|(name, _)| name.clone())
            .collect();
        for (key, names) in [
            ("disable", &self.disable),
            ("enable", &self.enable),
            ("override", &overridden),
        ] {
            for name in names.iter().filter(|name| !catalog::is_built_in(name)) {
                let hint = "`pgvigil explain` lists the collectors";
                s.problem(key, format!("there is no collector `{name}`"), Some(hint));
            }
        }
    }
}

/// The settings that a statement may name as `${NAME}`.
pub(super) const PARAMETERS: [&str; 1] = ["long_query"];
