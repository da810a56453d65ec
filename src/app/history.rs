//! What the value of an alert was over the last hour: its expression without the comparison, over the store.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::notify::History;
use crate::promql::{self, Limits, Moments, Query, Value};
use crate::rules::RuleSet;
use crate::sample::{Labels, NAME, Timestamp, is_stale};
use crate::store::Store;

const HOUR: Duration = Duration::from_secs(3600);

/// As many characters as a phone shows in a line beside the numbers.
const POINTS: u32 = 21;

/// How often is looked for each of them, so that what was over soon is seen too.
const LOOKS: u32 = 12;

/// Who draws takes no more than this.
const LIMIT: usize = 2_000_000;

/// The history of the alerts of these rules.
pub(super) fn history(rules: &RuleSet, store: &Arc<Store>) -> History {
    let (rules, store) = (rules.clone(), Arc::clone(store));
    History::new(move |alert, now| {
        let query = rules.of(alert).map(|rule| &rule.query);
        tokio::task::block_in_place(|| {
            query.map_or_else(Vec::new, |query| values(query, &store, &alert.labels, now))
        })
    })
}

fn values(query: &Query, store: &Store, alert: &Labels, now: Timestamp) -> Vec<f64> {
    let moments = Moments::Range {
        start: now.before(HOUR),
        end: now,
        step: HOUR / ((POINTS - 1) * LOOKS),
    };
    let limits = Limits {
        max_samples: LIMIT,
        ..Limits::default()
    };
    let compared = query.compared();
    let answer = compared.map(|compared| promql::evaluate(&compared, store, moments, &limits));
    let Some(Ok(answer)) = answer else {
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
            let known = one.points.into_iter().filter(|(_, v)| !is_stale(*v));
            worst(known, now, query.wants_less())
        }
        _ => Vec::new(),
    }
}

/// The worst value of each span, oldest first.
fn worst(
    points: impl Iterator<Item = (Timestamp, f64)>,
    now: Timestamp,
    wants_less: bool,
) -> Vec<f64> {
    let span = HOUR / (POINTS - 1);
    let worse = |old: f64, new: f64| {
        if wants_less {
            old.min(new)
        } else {
            old.max(new)
        }
    };
    let mut spans: BTreeMap<Reverse<u128>, f64> = BTreeMap::new();
    for (at, value) in points {
        let ago = now.since(at).as_millis() / span.as_millis();
        let kept = spans.entry(Reverse(ago)).or_insert(value);
        *kept = worse(*kept, value);
    }
    spans.into_values().collect()
}

/// Whether an element with these labels would be the alert: a rule only adds labels.
fn belongs(labels: &Labels, alert: &Labels) -> bool {
    let mut labels = labels.iter().filter(|(name, _)| *name != NAME);
    labels.all(|(name, value)| alert.get(name) == value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Source, Sources};
    use crate::store::Settings;

    #[test]
    fn the_hour_before_an_alert_is_seen_though_nothing_fired_then() {
        let settings = Settings {
            retention: 2 * HOUR,
            max_bytes: 1 << 20,
        };
        let now = Timestamp(100 * 3_600_000);
        let store = Store::new(&settings, now.before(HOUR));
        let sources = Sources::one(Source::new("rachel", "", "connections"));
        for minute in 0..=60 {
            let at = Timestamp(now.0 - (60 - minute) * 60_000);
            let of = |server| Labels::new([(NAME, "used"), ("server", server)]);
            let values = [(of("rachel"), minute as f64), (of("other"), 7.0)];
            store.append(at, &sources, values);
        }
        let query = Query::parse("used > 50").unwrap();
        let of = |server| Labels::new([("alertname", "High"), ("server", server)]);
        let one = of("rachel");
        let seen = values(&query, &store, &one, now);
        assert_eq!(seen.len(), POINTS as usize);
        assert_eq!((seen[0], seen[POINTS as usize - 1]), (0.0, 60.0));
        assert!(values(&query, &store, &of("third"), now).is_empty());
    }

    #[test]
    fn what_was_over_soon_is_seen_too() {
        let minute = Duration::from_secs(60);
        let now = Timestamp(100 * 3_600_000);
        let peak = [
            (now.before(30 * minute), 9.0),
            (now.before(29 * minute), 1.0),
            (now, 1.0),
        ];
        assert_eq!(worst(peak.into_iter(), now, false), [9.0, 1.0, 1.0]);
        let dip = [
            (now.before(2 * minute), 9.0),
            (now.before(minute), 0.5),
            (now, 8.0),
        ];
        assert_eq!(worst(dip.into_iter(), now, true), [0.5]);
    }
}
