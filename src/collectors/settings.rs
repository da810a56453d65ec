//! `collect:` in the configuration.

use std::sync::Arc;
use std::time::Duration;

use super::{Collector, EvidenceQuery, catalog, evidence};
use crate::document::{Place, Problem, Section};

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
    /// The most series of one collector on one server, all its databases together; 0 lifts this and every other limit.
    pub max_series: usize,
    /// Whether the older names of postgres_exporter are published as well.
    pub aliases: bool,
    /// The share of a core of a server that all statements may take together; `None` for any.
    pub load_budget: Option<f64>,
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
            max_series: s.count("max_series", "30000", "The most series of one collector on one server, divided among its databases; what is left out is counted. 0 lifts this and the `top` of each collector.") as usize,
            aliases: s.flag("aliases", false, "Also publish the older names of postgres_exporter; `/metrics` is then written in text format 0.0.4 alone."),
            load_budget: s.share_or_off("load_budget", "5%", "The share of one core of a server that all statements may take together; past it the dearest slow collectors are read less often, up to 64 times their interval. `off` or `0` for no such bound."),
            long_query: s.duration("long_query", "5m", "Statements and transactions older than this count as long-running."),
            overrides: s.map("override", "Changes to a collector by its name.", |_, s| Override::read(s)),
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

    /// Names written here that neither a collector of the catalogue has nor an evidence query.
    pub fn strangers(
        &self,
        catalogue: &[Arc<Collector>],
        evidence: &[Arc<EvidenceQuery>],
    ) -> Vec<Problem> {
        let known = |name: &str| {
            catalogue.iter().any(|known| &*known.name == name)
                || evidence.iter().any(|known| known.name() == name)
        };
        let unknown = self.names().filter(|(_, name)| !known(name));
        unknown
            .map(|(key, name)| Problem {
                path: format!("collect.{key}"),
                hint: Some(THE_LIST.into()),
                ..Problem::at(&Place::of("configuration"), no_such(name))
            })
            .collect()
    }

    /// Every collector's name that is written, after its key.
    fn names(&self) -> impl Iterator<Item = (&'static str, &String)> {
        let disabled = self.disable.iter().map(|name| ("disable", name));
        let enabled = self.enable.iter().map(|name| ("enable", name));
        let overridden = self.overrides.iter().map(|(name, _)| ("override", name));
        disabled.chain(enabled).chain(overridden)
    }

    fn check(&self, s: &Section) {
        s.refuse_hasty("interval", Some(self.interval));
        refuse_zero("timeout", Some(self.timeout), s);
        // A name that is not built in may come from an included file, which is read later.
        if self.include.is_empty() {
            let is_known = |name: &str| catalog::is_built_in(name) || evidence::is_built_in(name);
            for (key, name) in self.names().filter(|(_, name)| !is_known(name)) {
                s.problem(key, no_such(name), Some(THE_LIST));
            }
        }
    }
}

impl Override {
    fn read(s: &mut Section) -> Self {
        let change = Override {
            interval: s.optional_duration("interval", "How often it is read."),
            timeout: s.optional_duration("timeout", "The most its statement may take."),
        };
        s.refuse_hasty("interval", change.interval);
        refuse_zero("timeout", change.timeout, s);
        change
    }
}

const THE_LIST: &str = "`pgvigil explain` lists the collectors";

fn no_such(name: &str) -> String {
    format!("there is no collector `{name}`")
}

/// Nothing is read every zero seconds, or within none.
pub(super) fn refuse_zero(key: &str, duration: Option<Duration>, s: &Section) {
    if duration.is_some_and(|duration| duration.is_zero()) {
        s.problem(key, "must be longer than zero", None);
    }
}

/// The settings that a statement may name as `${NAME}`.
pub(super) const PARAMETERS: [&str; 1] = ["long_query"];
