//! The rules in force and how their evaluation goes.

use std::collections::HashMap;
use std::time::Duration;

use super::alerts::{is_signal, notice, tone};
use super::{Edition, Notice, Tone};
use crate::incident::Book;
use crate::rules::{Alert, AlertState, Group, GroupStatus, Rule, RuleKey, RuleStatus};
use crate::sample::Timestamp;
use crate::web::View;

/// All rules.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rules {
    /// When it was drawn up.
    pub edition: Edition,
    /// By file, as they are evaluated.
    pub groups: Vec<RuleGroup>,
}

/// Rules that are evaluated together.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RuleGroup {
    /// The file it stands in.
    pub file: String,
    /// Its name.
    pub name: String,
    /// How often it is evaluated.
    pub interval: Duration,
    /// When it was evaluated last.
    pub last: Option<Timestamp>,
    /// How long that took.
    pub took: Duration,
    /// Evaluations that were left out because one ran long.
    pub missed: u64,
    /// In the order of evaluation.
    pub rules: Vec<RuleLine>,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RuleLine {
    /// The alert's or the recorded metric's name.
    pub name: String,
    /// Whether its result becomes a series, not alerts.
    pub records: bool,
    /// The severity label; may be empty.
    pub severity: String,
    /// `firing`, `pending`, `calm`, `recording`, `failing` or `not evaluated yet`.
    pub state: &'static str,
    /// The colour of it.
    pub tone: Tone,
    /// The expression as it is evaluated.
    pub expression: String,
    /// How long it must hold.
    pub hold: Duration,
    /// Why the last evaluation gave no result; empty when it did.
    pub error: String,
    /// When it was last evaluated.
    pub last: Option<Timestamp>,
    /// How long that took.
    pub took: Duration,
    /// Its alerts that are pending or firing.
    pub alerts: Vec<Notice>,
}

/// What the status page says of them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RulesBrief {
    /// How many there are.
    pub rules: usize,
    /// In how many groups.
    pub groups: usize,
    /// Those whose last evaluation failed, with the reason.
    pub failing: Vec<(String, String)>,
}

/// In short, for the status page.
pub(super) fn brief(view: &View) -> RulesBrief {
    let (groups, statuses) = (&view.api.groups, view.api.statuses.all());
    let failing = groups.iter().flat_map(|group| {
        let status = status_of(group, &statuses);
        let rules = status.into_iter().flat_map(|status| &status.rules);
        let failed = group.rules.iter().zip(rules);
        failed.filter_map(|(rule, status)| {
            let error = status.error.as_ref()?;
            Some((rule.name.to_string(), error.to_string()))
        })
    });
    RulesBrief {
        rules: groups.iter().map(|group| group.rules.len()).sum(),
        groups: groups.len(),
        failing: failing.collect(),
    }
}

/// In full.
pub(super) fn rules(view: &View, book: &Book, edition: Edition) -> Rules {
    let statuses = view.api.statuses.all();
    let mut alerts: HashMap<&RuleKey, Vec<&Alert>> = HashMap::new();
    for alert in book.alerts.values() {
        if alert.state != AlertState::Resolved {
            alerts.entry(&alert.rule).or_default().push(alert);
        }
    }
    let line = |rule: &Rule, status: Option<&RuleStatus>| {
        let own = alerts.get(&rule.key).into_iter().flatten();
        let own = own.copied().filter(|alert| rule.owns(alert));
        line(rule, status, own, book, edition.now)
    };
    let groups = view.api.groups.iter().map(|group| {
        let status = status_of(group, &statuses);
        let of = |place: usize| status.and_then(|status| status.rules.get(place));
        let rules = group.rules.iter().enumerate();
        RuleGroup {
            file: group.file.to_string(),
            name: group.name.to_string(),
            interval: group.interval,
            last: status.and_then(|status| status.last_evaluation),
            took: status.map(|status| status.took).unwrap_or_default(),
            missed: status.map(|status| status.missed).unwrap_or_default(),
            rules: rules.map(|(place, rule)| line(rule, of(place))).collect(),
        }
    });
    Rules {
        groups: groups.collect(),
        edition,
    }
}

fn status_of<'s>(group: &Group, statuses: &'s [GroupStatus]) -> Option<&'s GroupStatus> {
    let same =
        |status: &&GroupStatus| (&*status.file, &*status.group) == (&*group.file, &*group.name);
    statuses.iter().find(same)
}

fn line<'a>(
    rule: &Rule,
    status: Option<&RuleStatus>,
    alerts: impl Iterator<Item = &'a Alert>,
    book: &Book,
    now: Timestamp,
) -> RuleLine {
    let alerts: Vec<&Alert> = alerts.collect();
    let error = status.and_then(|status| status.error.as_ref().map(ToString::to_string));
    let gravest = alerts.iter().filter(|alert| !is_signal(alert));
    let gravest = gravest.map(|alert| tone(alert.labels.get("severity")));
    let gravest = gravest.max().unwrap_or(Tone::Info);
    let (state, tone) = match alerts.iter().map(|alert| alert.state).max() {
        _ if error.is_some() => ("failing", Tone::Critical),
        Some(AlertState::Firing) => ("firing", gravest),
        Some(_) => ("pending", gravest),
        None if status.is_none() => ("not evaluated yet", Tone::Unknown),
        None if rule.alerting().is_none() => ("recording", Tone::Good),
        None => ("calm", Tone::Good),
    };
    RuleLine {
        name: rule.name.to_string(),
        records: rule.alerting().is_none(),
        severity: rule.severity().to_owned(),
        state,
        tone,
        expression: rule.query.normal(),
        hold: rule.alerting().map(|rule| rule.hold).unwrap_or_default(),
        error: error.unwrap_or_default(),
        last: status.map(|status| status.begun),
        took: status.map(|status| status.took).unwrap_or_default(),
        alerts: alerts
            .into_iter()
            .map(|alert| notice(alert, book, now))
            .collect(),
    }
}
