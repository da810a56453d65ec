//! How it came to what was not expected: the states of an alert, the values of an expression.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::document::format_duration;
use crate::promql::{Kind, Moments, Query, Value, evaluate, format_number};
use crate::rules::{Change, Transition};
use crate::sample::{Labels, Timestamp};

use super::course::Course;

/// More alerts or series than these are not told of.
const MOST_TOLD: usize = 10;
/// Of a series that changes more often than this, the last changes are told.
const MOST_CHANGES: usize = 12;
/// More evaluations than these are not repeated for the sake of a history.
const MOST_STEPS: u128 = 20_000;

/// What became of each alert of a name until a time.
pub(super) fn of_alerts(course: &Course<'_>, name: &str, until: Duration) -> Vec<String> {
    let start = course.test.start;
    let mut by_labels = BTreeMap::<&Labels, Vec<String>>::new();
    for transition in &course.transitions {
        let alert = &transition.alert;
        if alert.labels.get("alertname") == name && transition.at <= start + until {
            let told = by_labels.entry(&alert.labels).or_default();
            told.extend(told_of(transition, start));
        }
    }
    let mut lines = Vec::new();
    if by_labels.is_empty() {
        lines.push(format!("`{name}` was inactive all the time"));
    } else {
        lines.push(format!("states of `{name}`:"));
    }
    let each = by_labels.iter();
    lines.extend(each.take(MOST_TOLD).map(|(labels, told)| {
        let labels = labels.filtered(|name| name != "alertname");
        format!("  {labels}: inactive → {}", shortened(told))
    }));
    lines.extend(more(by_labels.len()));
    lines
}

fn told_of(transition: &Transition, start: Timestamp) -> Option<String> {
    let at = format_duration(transition.at.since(start));
    let value = format_number(transition.alert.value);
    match transition.change {
        Change::Pending => Some(format!("pending at {at} (value {value})")),
        Change::Opened => Some(format!("firing at {at} (value {value})")),
        Change::KeptFiring => Some(format!("kept firing at {at} by `keep_firing_for`")),
        Change::Fresh => Some(format!("true again at {at} (value {value})")),
        Change::Resolved => Some(format!("inactive at {at}")),
        // A resolved alert that is forgotten has been inactive before.
        Change::Forgotten if transition.alert.fired_at.is_none() => {
            Some(format!("inactive at {at}"))
        }
        Change::Forgotten | Change::Changed | Change::Stale => None,
    }
}

/// The values of an expression at every evaluation until a time, each named where it changes.
pub(super) fn of_expression(
    course: &Course<'_>,
    query: &Query,
    until: Duration,
    interval: Duration,
) -> Vec<String> {
    let steps = until.as_millis() / interval.as_millis().max(1);
    if steps > MOST_STEPS || !matches!(query.kind(), Kind::Scalar | Kind::Vector) {
        return Vec::new();
    }
    let start = course.test.start;
    let moments = Moments::Range {
        start,
        end: start + until,
        step: interval,
    };
    let Ok(answer) = evaluate(query, &course.store, moments, &course.limits()) else {
        return Vec::new();
    };
    let Value::Matrix(all) = answer.value else {
        return Vec::new();
    };
    let mut lines = vec!["values until then:".to_owned()];
    if all.is_empty() {
        lines.push("  none at any time".into());
    }
    lines.extend(all.iter().take(MOST_TOLD).map(|series| {
        let told = changes(&series.points, start, start + until, interval);
        format!("  {}: {}", series.labels, shortened(&told))
    }));
    lines.extend(more(all.len()));
    lines
}

/// Where a series begins, changes its value, and ends.
fn changes(
    points: &[(Timestamp, f64)],
    start: Timestamp,
    end: Timestamp,
    interval: Duration,
) -> Vec<String> {
    let late = points.first().is_some_and(|(first, _)| *first > start);
    let mut told: Vec<String> = late.then(|| "absent".into()).into_iter().collect();
    let mut before: Option<(Timestamp, f64)> = None;
    for &(at, value) in points {
        let gap = before.filter(|(last, _)| *last + interval < at);
        told.extend(gap.map(|(last, _)| absent(last + interval, start)));
        let goes_on = before.is_some_and(|(_, last)| last.to_bits() == value.to_bits());
        if gap.is_some() || !goes_on {
            let at = format_duration(at.since(start));
            told.push(format!("{} at {at}", format_number(value)));
        }
        before = Some((at, value));
    }
    let ended = before.filter(|(last, _)| *last + interval <= end);
    told.extend(ended.map(|(last, _)| absent(last + interval, start)));
    told
}

fn absent(at: Timestamp, start: Timestamp) -> String {
    format!("absent at {}", format_duration(at.since(start)))
}

fn shortened(told: &[String]) -> String {
    let skipped = told.len().saturating_sub(MOST_CHANGES);
    let last = told[skipped..].join(" → ");
    match skipped {
        0 => last,
        _ => format!("… → {last}"),
    }
}

fn more(count: usize) -> Option<String> {
    let untold = count.checked_sub(MOST_TOLD).filter(|untold| *untold > 0);
    untold.map(|untold| format!("  and {untold} more"))
}
