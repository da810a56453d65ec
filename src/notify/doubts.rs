//! What in policy and inhibitions cannot mean anything under the rules in force: matchers that no alert meets, lines that
//! no alert reaches. Takes settings and rules; hands on what is certain, for a false alarm is worse than a miss.

use std::collections::BTreeSet;

use super::policy::WATCHDOG;
use super::settings::{Entry, Settings};
use crate::document::{Place, Problem, nearest};
use crate::incident::Matcher;
use crate::rules::{Group, Rule, Template};
use crate::sample::Labels;

/// The labels that rules alone decide.
const NAME: &str = "alertname";
const SEVERITY: &str = "severity";

/// What is known of the alerts of one rule before they are there.
struct Kind<'r> {
    name: &'r str,
    /// `None` where the expression, or a template, may decide.
    severity: Option<&'r str>,
}

/// The alerts that the rules may give.
struct Alerts<'r> {
    kinds: Vec<Kind<'r>>,
    rules: Vec<&'r Rule>,
}

/// Some matchers, and where they are written.
struct Written<'s> {
    place: &'s Place,
    path: String,
    matchers: &'s [Matcher],
}

/// Everything that is doubtful, in the order of the settings.
pub fn doubts(settings: &Settings, groups: &[Group]) -> Vec<Problem> {
    let rules = groups.iter().flat_map(|group| &group.rules);
    let alerts = Alerts::of(rules.collect());
    let mut doubts = Vec::new();
    for (index, entry) in settings.policy.iter().enumerate() {
        let path = format!("notify.policy[{index}]");
        let written = Written {
            place: &entry.place,
            path: format!("{path}.match"),
            matchers: &entry.matchers,
        };
        let unmet = alerts.unmet(&written);
        if unmet.is_empty() {
            doubts.extend(unreached(&settings.policy, index, path, &alerts));
        }
        doubts.extend(unmet);
    }
    for (index, rule) in settings.inhibit.iter().enumerate() {
        for (key, matchers) in [("source", &rule.source), ("target", &rule.target)] {
            doubts.extend(alerts.unmet(&Written {
                place: &rule.place,
                path: format!("notify.inhibit[{index}].{key}"),
                matchers,
            }));
        }
    }
    doubts
}

impl<'r> Alerts<'r> {
    fn of(rules: Vec<&'r Rule>) -> Self {
        let alerting = rules.iter().filter(|rule| rule.alerting().is_some());
        let kinds = alerting.map(|rule| Kind {
            name: &rule.name,
            severity: rule.labels.get(SEVERITY).and_then(Template::literal),
        });
        Alerts {
            kinds: kinds.collect(),
            rules,
        }
    }

    /// Matchers, or all of them together, that no alert meets; labels that are hardly meant.
    fn unmet(&self, written: &Written) -> Vec<Problem> {
        let found = written.matchers.iter();
        let found: Vec<Problem> = found
            .filter_map(|matcher| self.meets_none(written, matcher))
            .collect();
        if !found.is_empty() || written.matchers.is_empty() || self.may_meet(written.matchers) {
            return found;
        }
        let message = "no rule gives an alert that meets all of these matchers";
        let hint = "`pgvigil explain` shows the rules; write two lines where either is meant";
        vec![written.problem(message.into(), Some(hint.into()))]
    }

    fn may_meet(&self, matchers: &[Matcher]) -> bool {
        self.kinds.iter().any(|kind| kind.may_meet(matchers))
    }

    fn meets_none(&self, written: &Written, matcher: &Matcher) -> Option<Problem> {
        let parts = matcher.parts();
        let unmet = !self.may_meet(std::slice::from_ref(matcher));
        let (message, known) = match parts.name.as_str() {
            NAME if unmet => (
                format!("no rule has a name that meets `{matcher}`"),
                self.names(),
            ),
            SEVERITY if unmet => (
                format!("no rule gives a severity that meets `{matcher}`"),
                self.severities(),
            ),
            NAME | SEVERITY => return None,
            label => {
                let meant = self.meant(label)?;
                let hint = format!("did you mean `{meant}`?");
                let message = format!("no alert has a label `{label}`");
                return Some(written.problem(message, Some(hint)));
            }
        };
        let known: Vec<&str> = known.into_iter().collect();
        let near = nearest(&parts.value, &known).filter(|_| !parts.is_regex);
        let hint = match near {
            Some(near) => Some(format!("did you mean `{near}`?")),
            None if parts.name == SEVERITY => Some(format!("there are {}", known.join(", "))),
            None => Some("a rule that is not loaded, or is disabled, gives no alerts".into()),
        };
        Some(written.problem(message, hint))
    }

    /// The label that was meant by one which is nearly it, and which no rule knows.
    fn meant(&self, label: &str) -> Option<&'static str> {
        let near = |meant: &&str| strsim::damerau_levenshtein(label, meant) <= 2;
        let meant = [NAME, SEVERITY].into_iter().find(near)?;
        let knows =
            |rule: &&Rule| rule.labels.contains_key(label) || rule.query.text().contains(label);
        (!self.rules.iter().any(knows)).then_some(meant)
    }

    fn names(&self) -> BTreeSet<&'r str> {
        self.kinds.iter().map(|kind| kind.name).collect()
    }

    fn severities(&self) -> BTreeSet<&'r str> {
        self.kinds.iter().filter_map(|kind| kind.severity).collect()
    }
}

impl Kind<'_> {
    /// Whether an alert of this kind may meet all matchers; what is not known of it may be anything.
    fn may_meet(&self, matchers: &[Matcher]) -> bool {
        let labels = Labels::new([
            (NAME, self.name),
            (SEVERITY, self.severity.unwrap_or_default()),
        ]);
        matchers
            .iter()
            .all(|matcher| match matcher.parts().name.as_str() {
                SEVERITY if self.severity.is_none() => true,
                NAME | SEVERITY => matcher.matches(&labels),
                _ => true,
            })
    }
}

impl Written<'_> {
    fn problem(&self, message: String, hint: Option<String>) -> Problem {
        Problem {
            path: self.path.clone(),
            hint,
            ..Problem::at(self.place, message)
        }
    }
}

/// A line that comes after one which takes all that it could, and lets nothing go on. A line without matchers leaves
/// the watchdog to others.
fn unreached(policy: &[Entry], index: usize, path: String, alerts: &Alerts) -> Option<Problem> {
    let entry = &policy[index];
    let watches = |kind: &Kind| kind.name == WATCHDOG && kind.may_meet(&entry.matchers);
    let takes = |earlier: &&Entry| {
        let all = earlier.matchers.iter();
        let takes_all = all.clone().all(|matcher| entry.matchers.contains(matcher));
        let but_one = earlier.matchers.is_empty() && !entry.matchers.is_empty();
        !earlier.goes_on && takes_all && !(but_one && alerts.kinds.iter().any(watches))
    };
    let before = policy[..index].iter().position(|earlier| takes(&earlier))?;
    let hint =
        format!("write it before `notify.policy[{before}]`, or let that one `continue: true`");
    Some(Problem {
        path,
        hint: Some(hint),
        ..Problem::at(
            &entry.place,
            format!("no alert comes here: `notify.policy[{before}]` takes all of them"),
        )
    })
}

#[cfg(test)]
mod tests;
