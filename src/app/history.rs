//! What the value of an alert was over the last hour: its expression without the comparison, over the store.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::notify::History;
use crate::promql::{self, Limits, Moments, Query, Value};
use crate::rules::{Alert, RuleKey, RuleSet};
use crate::sample::{Labels, NAME, Timestamp, is_stale};
use crate::store::Store;

const HOUR: Duration = Duration::from_secs(3600);

/// As many characters as a phone shows in a line beside the numbers.
const POINTS: u32 = 20;

/// Who draws takes no more than this.
const LIMIT: usize = 2_000_000;

/// The history of the alerts of these rules.
pub(super) fn history(rules: &RuleSet, store: &Arc<Store>) -> History {
    let rules = rules.groups.iter().flat_map(|group| &group.rules);
    let compared = rules.filter_map(|rule| Some((rule.key.clone(), rule.query.compared()?)));
    let compared: HashMap<RuleKey, Query> = compared.collect();
    let store = Arc::clone(store);
    History::new(move |alert, now| {
        let query = compared.get(&alert.rule);
        tokio::task::block_in_place(|| {
            query.map_or_else(Vec::new, |query| values(query, &store, alert, now))
        })
    })
}

fn values(query: &Query, store: &Store, alert: &Alert, now: Timestamp) -> Vec<f64> {
    let moments = Moments::Range {
        start: now.before(HOUR),
        end: now,
        step: HOUR / (POINTS - 1),
    };
    let limits = Limits {
        max_samples: LIMIT,
        ..Limits::default()
    };
    let Ok(answer) = promql::evaluate(query, store, moments, &limits) else {
        return Vec::new();
    };
    let Value::Matrix(series) = answer.value else {
        return Vec::new();
    };
    let mut of_alert = series
        .into_iter()
        .filter(|series| belongs(&series.labels, alert));
    // Two that fit are two histories, of which neither is the alert's.
    match (of_alert.next(), of_alert.next()) {
        (Some(one), None) => {
            let points = one.points.into_iter().map(|(_, value)| value);
            points.filter(|value| !is_stale(*value)).collect()
        }
        _ => Vec::new(),
    }
}

/// Whether an element with these labels would be the alert: a rule only adds labels.
fn belongs(labels: &Labels, alert: &Alert) -> bool {
    let mut labels = labels.iter().filter(|(name, _)| *name != NAME);
    labels.all(|(name, value)| alert.labels.get(name) == value)
}
