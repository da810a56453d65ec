//! The rules in force: the embedded set and the user's files, less what is disabled, with the overrides applied.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::document::{Place, Problem, format_duration, like, read_matching};

use super::embedded::{DEFAULT, EXAMPLES, example_names};
use super::{Action, Alert, Group, Override, Rule, Settings, Template, file};

/// Every group in force and what is worth knowing about them.
#[derive(Debug, Clone, Default)]
pub struct RuleSet {
    /// The embedded groups, then those of the user's files.
    pub groups: Vec<Group>,
    /// What is no mistake but hardly meant: duplicate rules, a second document in a file.
    pub warnings: Vec<Problem>,
}

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

    /// Alerts whose rule is no longer in force; to be ended with [`Alert::ended`].
    pub fn orphans<'a>(&self, alerts: impl IntoIterator<Item = &'a Alert>) -> Vec<&'a Alert> {
        let owned = |alert: &Alert| {
            self.groups
                .iter()
                .flat_map(|group| &group.rules)
                .any(|rule| rule.owns(alert))
        };
        alerts.into_iter().filter(|alert| !owned(alert)).collect()
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
                match file::parse(&name, &text, settings.interval) {
                    Ok((groups, warnings)) => {
                        set.groups.extend(groups);
                        set.warnings.extend(warnings);
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

/// Takes the disabled rules out, and groups that have none left.
fn disable(set: &mut RuleSet, names: &[String]) -> Vec<Problem> {
    let rules = || set.groups.iter().flat_map(|group| &group.rules);
    let unmatched = names
        .iter()
        .filter(|name| !rules().any(|rule| is_called(rule, name)));
    let problems = unmatched
        .map(|name| unmatched_name(set, "disable", name))
        .collect();
    for group in &mut set.groups {
        group
            .rules
            .retain(|rule| !names.iter().any(|name| is_called(rule, name)));
    }
    set.groups.retain(|group| !group.rules.is_empty());
    problems
}

/// Applies the overrides, each to the one rule that it names.
fn change(set: &mut RuleSet, settings: &Settings) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut changed: Vec<(Arc<str>, String, &str)> = Vec::new();
    for (name, change) in &settings.overrides {
        let meant: Vec<&Rule> = set
            .alerting()
            .filter(|rule| is_called(rule, name))
            .collect();
        let [rule] = meant.as_slice() else {
            problems.push(match meant.as_slice() {
                [] => unmatched_name(set, "override", name),
                several => ambiguous(name, several),
            });
            continue;
        };
        let rule = (rule.name.clone(), rule.severity().to_owned(), name.as_str());
        if let Some((.., other)) = changed
            .iter()
            .find(|(known, severity, _)| (known, severity) == (&rule.0, &rule.1))
        {
            problems.push(mistaken(
                "override",
                format!("`{other}` and `{name}` mean the same rule"),
            ));
            continue;
        }
        changed.push(rule);
        let rules = set.groups.iter_mut().flat_map(|group| &mut group.rules);
        for rule in rules.filter(|rule| is_called(rule, name) && rule.alerting().is_some()) {
            problems.extend(apply(rule, name, change));
        }
    }
    problems
}

fn apply(rule: &mut Rule, name: &str, change: &Override) -> Vec<Problem> {
    let mut problems = Vec::new();
    if let Some(threshold) = change.threshold {
        match rule.query.with_threshold(threshold) {
            Some(query) => rule.query = query,
            None => {
                let message = format!("`{name}` compares with no single number");
                let hint = "disable it, and write the rule you want into a file of `rules.files`";
                problems.push(Problem {
                    hint: Some(hint.into()),
                    ..mistaken("override", message)
                });
            }
        }
    }
    if let (Some(hold), Action::Alert(alerting)) = (change.hold, &mut rule.action) {
        alerting.hold = hold;
    }
    for (label, text) in &change.labels {
        match Template::parse(text) {
            Ok(template) => {
                rule.labels.insert(label.clone(), template);
            }
            Err(cause) => problems.push(mistaken(
                "override",
                format!("label `{label}` of `{name}`: {cause}"),
            )),
        }
    }
    problems
}

/// `pg_settings_{name}` as the pattern `pg_settings_*`; `None` for a plain name.
fn pattern(name: &str) -> Option<String> {
    let (before, rest) = name.split_once('{')?;
    let after = rest.split_once('}').map_or("", |(_, after)| after);
    Some(format!(
        "{before}*{}",
        pattern(after).unwrap_or_else(|| after.to_owned())
    ))
}

/// Whether `Name` or `Name/severity` means a rule.
fn is_called(rule: &Rule, name: &str) -> bool {
    let full = || format!("{}/{}", rule.name, rule.severity());
    *rule.name == *name || full() == name
}

fn ambiguous(name: &str, rules: &[&Rule]) -> Problem {
    let each: Vec<String> = rules
        .iter()
        .map(|rule| format!("`{}/{}`", rule.name, rule.severity()))
        .collect();
    Problem {
        hint: Some(format!("write {}", each.join(" or "))),
        ..mistaken("override", format!("`{name}` means {} rules", rules.len()))
    }
}

fn unmatched_name(set: &RuleSet, setting: &str, name: &str) -> Problem {
    let rules = set.groups.iter().flat_map(|group| &group.rules);
    let names: BTreeSet<String> = rules
        .flat_map(|rule| {
            [
                rule.name.to_string(),
                format!("{}/{}", rule.name, rule.severity()),
            ]
        })
        .collect();
    Problem {
        hint: nearest(name, names.iter()).map(|near| format!("did you mean `{near}`?")),
        ..mistaken(setting, format!("no rule is called `{name}`"))
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
mod tests {
    use super::*;

    fn settings(disable: &[&str], overrides: &[(&str, Override)]) -> Settings {
        Settings {
            interval: Duration::from_secs(15),
            files: vec!["example:guide".into()],
            disable: disable.iter().map(|name| (*name).to_owned()).collect(),
            overrides: overrides
                .iter()
                .map(|(name, change)| ((*name).to_owned(), change.clone()))
                .collect(),
        }
    }

    fn threshold(threshold: f64) -> Override {
        Override {
            threshold: Some(threshold),
            ..Override::default()
        }
    }

    fn complaints(settings: &Settings) -> Vec<String> {
        let problems = load(settings).err().unwrap_or_default();
        problems.iter().map(Problem::to_string).collect()
    }

    #[test]
    fn the_default_set_and_the_examples_load_without_a_warning() {
        let mut all = settings(&[], &[]);
        all.files = EXAMPLES.map(|(name, _)| name.to_owned()).into();
        let set = load(&all).unwrap();
        assert_eq!(set.warnings, []);
        assert!(set.alerting().count() >= 40, "{}", set.alerting().count());
    }

    #[test]
    fn rules_are_disabled_and_changed_by_name() {
        let change = Override {
            hold: Some(Duration::from_secs(300)),
            labels: vec![("team".into(), "db".into())],
            threshold: Some(0.7),
        };
        let changes = [("PostgresqlConnectionsHigh/warning", change)];
        let set = load(&settings(
            &["PostgresqlRestarted", "PostgresqlConnectionsHigh/critical"],
            &changes,
        ))
        .unwrap();
        let of = |name: &str| {
            set.alerting()
                .filter(|rule| *rule.name == *name)
                .collect::<Vec<_>>()
        };
        assert!(of("PostgresqlRestarted").is_empty());
        let [rule] = of("PostgresqlConnectionsHigh")[..] else {
            panic!("not one rule")
        };
        assert_eq!(rule.alerting().unwrap().hold, Duration::from_secs(300));
        assert_eq!(rule.labels["team"].source(), "db");
        assert!(
            rule.query.text().ends_with("> 0.7"),
            "{}",
            rule.query.text()
        );
    }

    #[test]
    fn what_names_no_rule_or_several_is_a_mistake() {
        let wrong = settings(
            &["PostgresqlRestartd"],
            &[
                ("PostgresqlConnectionsHigh", threshold(0.5)),
                ("PostgresqlDown", threshold(1.0)),
                ("PostgresqlDown/critical", threshold(1.0)),
                ("BackupTooOld/warning", threshold(1.0)),
                ("Nonsense", Override::default()),
            ],
        );
        assert_eq!(
            complaints(&wrong),
            [
                "configuration: rules.override: `PostgresqlConnectionsHigh` means 2 rules\n  hint: write `PostgresqlConnectionsHigh/warning` or `PostgresqlConnectionsHigh/critical`",
                "configuration: rules.override: `PostgresqlDown` and `PostgresqlDown/critical` mean the same rule",
                "configuration: rules.override: `BackupTooOld/warning` compares with no single number\n  hint: disable it, and write the rule you want into a file of `rules.files`",
                "configuration: rules.override: no rule is called `Nonsense`",
                "configuration: rules.disable: no rule is called `PostgresqlRestartd`\n  hint: did you mean `PostgresqlRestarted`?",
            ]
        );
    }

    #[test]
    fn metrics_that_nobody_gives_are_named() {
        let set = load(&settings(&[], &[])).unwrap();
        let mut known: BTreeSet<String> = set
            .alerting()
            .flat_map(|rule| rule.query.metrics())
            .collect();
        assert_eq!(set.unknown_metrics(&known), []);
        known.remove("pg_backup_foreign");
        known.insert("pg_{what}_for{rest}".into());
        assert_eq!(set.unknown_metrics(&known), []);
        known.remove("pg_{what}_for{rest}");
        known.insert("pg_backup_foreing".into());
        let [problem] = &set.unknown_metrics(&known)[..] else {
            panic!("not one problem")
        };
        let expected = "`BackupForeign` selects `pg_backup_foreign`, which nothing here gives";
        assert_eq!(problem.message, expected);
        let hint = "did you mean `pg_backup_foreing`?";
        assert_eq!(problem.hint.as_deref(), Some(hint));
    }

    #[test]
    fn what_reads_further_back_than_the_store_keeps_is_named() {
        let set = load(&settings(&[], &[])).unwrap();
        assert_eq!(set.beyond(Duration::from_secs(86_400)), []);
        let text = "groups:\n- name: g\n  query_offset: 1h\n  rules:\n  - {alert: Far, expr: 'm > m offset 1d'}\n  \
                    - {alert: Near, expr: 'm > m offset 23h'}\n  - {record: far, expr: 'm offset 1d'}\n";
        let (groups, _) = file::parse("f.yml", text, Duration::from_secs(15)).unwrap();
        let set = RuleSet {
            groups,
            ..RuleSet::default()
        };
        let found = set.beyond(Duration::from_secs(86_400));
        let found: Vec<String> = found.iter().map(Problem::to_string).collect();
        assert_eq!(
            found,
            [
                "f.yml:5:5: `Far` reads 1d1h back, and the store keeps 1d: its alerts could not be told to have ended\n  \
                 hint: raise `store.retention`, and `store.max_bytes` with it"
            ]
        );
    }
}
