//! Rules that are valid and yet cannot do what they are for.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::document::{Problem, format_duration, like};

use super::{RuleSet, nearest};
use crate::rules::lint::pattern;

impl RuleSet {
    /// Rules that select a metric nobody gives, and so can never fire. In a known name `{column}` stands for what the
    /// rows of a collector fill in; names that rules record are known anyway.
    pub fn unknown_metrics(&self, known: &BTreeSet<String>) -> Vec<Problem> {
        let recorded: BTreeSet<&str> = self.recording().map(|rule| &*rule.name).collect();
        let filled_in: Vec<String> = known.iter().filter_map(|name| pattern(name)).collect();
        let is_known = |metric: &str| {
            matches!(metric, "ALERTS" | "ALERTS_FOR_STATE" | "up")
                || recorded.contains(metric)
                || known.contains(metric)
                || filled_in.iter().any(|pattern| like(pattern, metric))
        };
        let mut problems = Vec::new();
        for rule in self.groups.iter().flat_map(|group| &group.rules) {
            for metric in rule
                .query
                .metrics()
                .iter()
                .filter(|metric| !is_known(metric))
            {
                problems.push(Problem {
                    hint: nearest(metric, known.iter())
                        .map(|near| format!("did you mean `{near}`?")),
                    ..Problem::at(
                        &rule.place,
                        format!(
                            "`{}` selects `{metric}`, which nothing here gives",
                            rule.name
                        ),
                    )
                });
            }
        }
        problems
    }

    /// Rules whose annotation `annotation` names what is not among `known`. What a template makes is not known before.
    pub fn unknown_names(&self, annotation: &str, known: &BTreeSet<String>) -> Vec<Problem> {
        let mut problems = Vec::new();
        for rule in self.groups.iter().flat_map(|group| &group.rules) {
            let annotations = rule.alerting().map(|alerting| &alerting.annotations);
            let written = annotations.and_then(|annotations| annotations.get(annotation));
            let names = written.and_then(|text| text.literal()).unwrap_or_default();
            for name in names.split(|c: char| c == ',' || c.is_whitespace()) {
                if !name.is_empty() && !known.contains(name) {
                    let message = format!(
                        "`{}` names `{name}` in its annotation `{annotation}`, which nothing here gives",
                        rule.name
                    );
                    problems.push(Problem {
                        hint: nearest(name, known.iter())
                            .map(|near| format!("did you mean `{near}`?")),
                        ..Problem::at(&rule.place, message)
                    });
                }
            }
        }
        problems
    }

    /// Alerting rules that read further back than the store keeps: nothing would ever end their alerts.
    pub fn beyond(&self, retention: Duration) -> Vec<Problem> {
        let mut problems = Vec::new();
        for group in &self.groups {
            for rule in group.rules.iter().filter(|rule| rule.alerting().is_some()) {
                let read = rule.query.longest_range() + group.query_offset;
                if read > retention {
                    let message = format!(
                        "`{}` reads {} back, and the store keeps {}: its alerts could not be told to have ended",
                        rule.name,
                        format_duration(read),
                        format_duration(retention)
                    );
                    problems.push(Problem {
                        hint: Some("raise `store.retention`, and `store.max_bytes` with it".into()),
                        ..Problem::at(&rule.place, message)
                    });
                }
            }
        }
        problems
    }
}
