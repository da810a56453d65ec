//! The rules in force and their alerts: `rules`, `alerts`.

use crate::rules::{
    Action, Alert, AlertState, Alerting, Group, GroupStatus, Rule, RuleStatus, Template,
};

use super::Asked;
use super::answer::Answer;
use super::failure::Failure;
use super::json::{Object, array, moment, object, pairs};
use super::parameters::{Matchers, Parameters, meets, whole};
use crate::promql::format_exponent;
use page::Page;

mod page;

/// Which rules are wanted.
struct Filter<'p> {
    names: Vec<&'p str>,
    groups: Vec<&'p str>,
    files: Vec<&'p str>,
    labels: Vec<Matchers>,
    /// `alert`, `record`, or empty for both.
    kind: String,
    with_alerts: bool,
}

/// `rules`
pub(super) fn rules(asked: &Asked) -> Result<Answer, Failure> {
    let filter = Filter::read(&asked.parameters)?;
    let page = Page::read(&asked.parameters)?;
    let mut groups: Vec<&Group> = asked.view.api.groups.iter().collect();
    groups.sort_by_key(|group| (&group.file, &group.name));
    let from = page.from(&groups)?;
    let wanted = groups.into_iter().skip(from).filter_map(|group| {
        let rules = filter.rules(group);
        (!rules.is_empty()).then_some((group, rules))
    });
    let (shown, next) = page.cut(wanted.collect());
    let statuses = asked.view.api.statuses.all();
    let alerts = alerts_now(asked);
    Ok(Answer::written(|out| {
        object(out, |o| {
            array(o.key("groups"), shown, |out, (group, rules)| {
                let status = statuses
                    .iter()
                    .find(|status| (&*status.file, &*status.group) == (&*group.file, &*group.name));
                object(out, |o| {
                    write_group(o, group, &rules, status, &filter, &alerts)
                });
            });
            if let Some(token) = next {
                o.text("groupNextToken", &token);
            }
        });
    }))
}

/// `alerts`
pub(super) fn alerts(asked: &Asked) -> Result<Answer, Failure> {
    let alerts = alerts_now(asked);
    let rules = asked.view.api.groups.iter().flat_map(|group| &group.rules);
    let owned = rules.flat_map(|rule| alerts.iter().filter(|alert| rule.owns(alert)));
    Ok(Answer::written(|out| {
        object(out, |o| array(o.key("alerts"), owned, write_alert));
    }))
}

/// Those that are pending or firing, in the order of their labels.
fn alerts_now(asked: &Asked) -> Vec<Alert> {
    asked.view.ledger.read(|book| {
        let alerts = book.alerts.values();
        alerts
            .filter(|alert| alert.state != AlertState::Resolved)
            .cloned()
            .collect()
    })
}

impl<'p> Filter<'p> {
    fn read(parameters: &'p Parameters) -> Result<Self, Failure> {
        let labels = parameters.selectors().map_err(Failure::bad_data)?;
        let kind = parameters.first("type").to_lowercase();
        if !["", "alert", "record"].contains(&kind.as_str()) {
            let said = format!("not supported value {kind:?}");
            return Err(Failure::of("type", said));
        }
        let without = parameters.given("exclude_alerts").unwrap_or("false");
        let Some(without) = flag(without) else {
            let said = format!(
                "error converting exclude_alerts: strconv.ParseBool: parsing {without:?}: invalid syntax"
            );
            return Err(Failure::of("exclude_alerts", said));
        };
        Ok(Filter {
            names: parameters.all("rule_name[]").collect(),
            groups: parameters.all("rule_group[]").collect(),
            files: parameters.all("file[]").collect(),
            labels,
            kind,
            with_alerts: !without,
        })
    }

    /// What of a group is wanted.
    fn rules<'g>(&self, group: &'g Group) -> Vec<(usize, &'g Rule)> {
        let named = |wanted: &[&str], name: &str| wanted.is_empty() || wanted.contains(&name);
        if !named(&self.groups, &group.name) || !named(&self.files, &group.file) {
            return Vec::new();
        }
        let wanted = |rule: &Rule| {
            let kind = match rule.action {
                Action::Alert(_) => "alert",
                Action::Record => "record",
            };
            let value = |name: &str| rule.labels.get(name).map_or("", Template::source);
            let labelled = self.labels.iter().any(|matchers| meets(matchers, value));
            named(&self.names, &rule.name)
                && (self.kind.is_empty() || self.kind == kind)
                && (self.labels.is_empty() || labelled)
        };
        let rules = group.rules.iter().enumerate();
        rules.filter(|(_, rule)| wanted(rule)).collect()
    }
}

/// As Go reads it.
fn flag(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}

fn write_group(
    o: &mut Object,
    group: &Group,
    rules: &[(usize, &Rule)],
    status: Option<&GroupStatus>,
    filter: &Filter,
    alerts: &[Alert],
) {
    o.text("name", &group.name);
    o.text("file", &group.file);
    array(o.key("rules"), rules, |out, (place, rule)| {
        let status = status.and_then(|status| status.rules.get(*place));
        object(out, |o| match &rule.action {
            Action::Alert(alerting) => {
                let own: Vec<&Alert> = alerts.iter().filter(|alert| rule.owns(alert)).collect();
                let state = rule_state(status, &own);
                write_alerting(o, rule, alerting, state, &own, filter.with_alerts);
                write_status(o, status, "alerting");
            }
            Action::Record => {
                write_recording(o, rule);
                write_status(o, status, "recording");
            }
        });
    });
    o.number("interval", group.interval.as_secs_f64());
    o.plain("limit", group.limit);
    let took = status.map(|status| status.took.as_secs_f64());
    o.number("evaluationTime", took.unwrap_or_default());
    let begun = status.and_then(|status| status.begun);
    o.text("lastEvaluation", &moment(begun));
}

fn write_alerting(
    o: &mut Object,
    rule: &Rule,
    alerting: &Alerting,
    state: &str,
    own: &[&Alert],
    with_alerts: bool,
) {
    o.text("state", state);
    o.text("name", &rule.name);
    o.text("query", &rule.query.normal());
    o.number("duration", alerting.hold.as_secs_f64());
    o.number("keepFiringFor", alerting.keep_firing_for.as_secs_f64());
    pairs(o.key("labels"), sources(&rule.labels));
    pairs(o.key("annotations"), sources(&alerting.annotations));
    if with_alerts {
        array(o.key("alerts"), own, |out, alert| write_alert(out, alert));
    } else {
        o.plain("alerts", "null");
    }
}

fn write_recording(o: &mut Object, rule: &Rule) {
    o.text("name", &rule.name);
    o.text("query", &rule.query.normal());
    if !rule.labels.is_empty() {
        pairs(o.key("labels"), sources(&rule.labels));
    }
}

fn write_status(o: &mut Object, status: Option<&RuleStatus>, kind: &str) {
    let error = status.and_then(|status| status.error.as_ref());
    let health = match (status, error) {
        (None, _) => "unknown",
        (_, None) => "ok",
        (_, Some(_)) => "err",
    };
    o.text("health", health);
    if let Some(error) = error {
        o.text("lastError", &error.to_string());
    }
    let took = status.map(|status| status.took.as_secs_f64());
    o.number("evaluationTime", took.unwrap_or_default());
    o.text("lastEvaluation", &moment(status.map(|status| status.begun)));
    o.text("type", kind);
}

/// Templates as they are written.
fn sources(
    templates: &std::collections::BTreeMap<String, Template>,
) -> impl Iterator<Item = (&str, &str)> {
    let each = templates.iter();
    each.map(|(name, template)| (name.as_str(), template.source()))
}

fn write_alert(out: &mut String, alert: &Alert) {
    object(out, |o| {
        o.labels("labels", &alert.labels);
        let annotations = alert.annotations.iter();
        pairs(
            o.key("annotations"),
            annotations.map(|(name, text)| (name.as_str(), text.as_str())),
        );
        o.text("state", state_name(alert.state));
        o.text("activeAt", &moment(Some(alert.active_at)));
        if alert.keep_firing_since.is_some() {
            o.text("keepFiringSince", &moment(alert.keep_firing_since));
        }
        o.text("value", &format_exponent(alert.value));
    });
}

/// The gravest state of its alerts; nothing is known of a rule without any that was not evaluated yet.
fn rule_state(status: Option<&RuleStatus>, own: &[&Alert]) -> &'static str {
    let gravest = own.iter().map(|alert| alert.state).max();
    let none = if status.is_some() {
        "inactive"
    } else {
        "unknown"
    };
    gravest.map_or(none, state_name)
}

fn state_name(state: AlertState) -> &'static str {
    match state {
        AlertState::Pending => "pending",
        AlertState::Firing => "firing",
        AlertState::Resolved => "inactive",
    }
}
