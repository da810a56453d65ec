//! `rules:` in the configuration.

use std::time::Duration;

use crate::document::Section;

/// Which rules are evaluated, and how often.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Groups without an interval of their own are evaluated this often.
    pub interval: Duration,
    /// Files beside the embedded set; `*` and `?` are allowed in the last part.
    pub files: Vec<String>,
    /// Names of rules to leave out.
    pub disable: Vec<String>,
    /// Changes by `Name` or `Name/severity`.
    pub overrides: Vec<(String, Override)>,
}

/// A change to a rule without copying it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Override {
    /// A new `for`.
    pub hold: Option<Duration>,
    /// Labels set over the rule's own.
    pub labels: Vec<(String, String)>,
    /// A new number to the right of the outermost comparison.
    pub threshold: Option<f64>,
}

impl Settings {
    /// Reads the section.
    pub fn read(s: &mut Section) -> Self {
        let settings = Settings {
            interval: s.duration("interval", "15s", "How often groups without an interval of their own are evaluated."),
            files: s.texts("files", "Prometheus rule files beside the embedded set; `*` and `?` match in the file name. `example:guide`, `example:advice` and `example:performance` are built in."),
            disable: s.texts("disable", "Names of rules to leave out."),
            overrides: s.map("override", "Changes to a rule by `Name` or `Name/severity`.", |_, s| Override {
                hold: s.optional_duration("for", "How long the condition must hold before the alert fires."),
                labels: s.pairs("labels", "Labels set over the rule's own."),
                threshold: s.optional_number("threshold", "The number to the right of the outermost comparison."),
            }),
        };
        s.refuse_hasty("interval", Some(settings.interval));
        settings
    }
}
