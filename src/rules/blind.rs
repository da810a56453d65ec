//! Rules that cannot see: their input has been missing. Takes which source gives which metric and which sources are
//! missing; hands on the rules that rest on those, through recording rules too. A pure function of its arguments.

use std::collections::{BTreeMap, BTreeSet};

use crate::document::like;
use crate::sample::{Source, Timestamp};

use super::{Alert, Group, Rule, RuleKey};

/// What each alerting rule reads, by the names of collectors.
#[derive(Debug, Default)]
pub struct Inputs(Vec<(RuleKey, BTreeSet<String>)>);

/// A rule that cannot see.
#[derive(Debug, Clone, PartialEq)]
pub struct Blind<'r> {
    /// The rule.
    pub rule: &'r RuleKey,
    /// Since when.
    pub since: Timestamp,
    /// What it waits for: of several sources the one that has been missing longest.
    pub source: Source,
}

impl Inputs {
    /// What the alerting rules of groups read. In the names of metrics and collectors `*` stands for anything.
    pub fn of(groups: &[Group], gives: &[(String, String)]) -> Self {
        let rules = || groups.iter().flat_map(|group| &group.rules);
        let mut recorded = BTreeMap::<&str, Vec<&Rule>>::new();
        for rule in rules().filter(|rule| rule.alerting().is_none()) {
            recorded.entry(&rule.name).or_default().push(rule);
        }
        let alerting = rules().filter(|rule| rule.alerting().is_some());
        let each = alerting.map(|rule| {
            let metrics = metrics(rule, &recorded);
            let giving = gives
                .iter()
                .filter(|(pattern, _)| metrics.iter().any(|metric| like(pattern, metric)));
            let collectors = giving.map(|(_, collector)| collector.clone());
            (rule.key.clone(), collectors.collect())
        });
        Inputs(each.collect())
    }

    /// The rules that rest on one of the missing sources, by what they read or by an alert of theirs that is stale: each
    /// once. Sources are given with since when they are missing.
    pub fn blind<'a>(
        &self,
        missing: &[(Source, Timestamp)],
        alerts: impl IntoIterator<Item = &'a Alert>,
    ) -> Vec<Blind<'_>> {
        if missing.is_empty() {
            return Vec::new();
        }
        let stale = alerts
            .into_iter()
            .filter(|alert| alert.stale_since.is_some());
        let stale: Vec<&Alert> = stale.collect();
        let mut found = BTreeMap::<&RuleKey, Blind<'_>>::new();
        for (rule, collectors) in &self.0 {
            let rests_on = |source: &Source| {
                collectors
                    .iter()
                    .any(|collector| like(collector, &source.collector))
                    || stale.iter().any(|alert| {
                        alert.rule == *rule && alert.sources.iter().any(|one| one == source)
                    })
            };
            let longest = missing.iter().filter(|(source, _)| rests_on(source));
            if let Some((source, since)) = longest.min_by_key(|(_, since)| *since) {
                found.entry(rule).or_insert_with(|| Blind {
                    rule,
                    since: *since,
                    source: source.clone(),
                });
            }
        }
        found.into_values().collect()
    }
}

/// All metrics that a rule rests on.
fn metrics(rule: &Rule, recorded: &BTreeMap<&str, Vec<&Rule>>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut next = rule.query.metrics();
    while let Some(metric) = next.pop() {
        let by = recorded.get(metric.as_str()).into_iter().flatten();
        let behind: Vec<String> = by.flat_map(|rule| rule.query.metrics()).collect();
        // Rules that rest on each other come back to what was found.
        if found.insert(metric) {
            next.extend(behind);
        }
    }
    found
}

#[cfg(test)]
mod tests;
