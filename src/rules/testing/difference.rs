//! What was expected beside what came, as few lines as tell it: `-` is expected, `+` came.

use std::collections::{BTreeMap, BTreeSet};

use crate::promql::format_number;

use super::file::ExpectedAlert;
use super::verdict::Sample;

type Pairs = BTreeMap<String, String>;

/// How alerts differ; both lists are in order.
pub(super) fn between_alerts(expected: &[ExpectedAlert], got: &[ExpectedAlert]) -> Vec<String> {
    let (mut missing, mut unexpected) = (Vec::new(), got.to_vec());
    for alert in expected {
        match unexpected.iter().position(|other| other == alert) {
            Some(place) => drop(unexpected.remove(place)),
            None => missing.push(alert),
        }
    }
    let mut lines = Vec::new();
    for alert in missing {
        match nearest(alert, &unexpected) {
            Some(place) => lines.extend(changed(alert, &unexpected.remove(place))),
            None => lines.push(format!("- {}", shown(&alert.labels))),
        }
    }
    let left = unexpected.iter();
    lines.extend(left.map(|alert| format!("+ {}", shown(&alert.labels))));
    lines
}

/// How elements of a value differ; both lists are in the order of their labels.
pub(super) fn between_samples(
    expected: &[Sample],
    got: &[Sample],
    same: impl Fn(f64, f64) -> bool,
) -> Vec<String> {
    let line =
        |sign: char, sample: &Sample| format!("{sign} {} {}", sample.0, format_number(sample.1));
    let (mut lines, mut left) = (Vec::new(), got.to_vec());
    for sample in expected {
        let found = left.iter().position(|other| other.0 == sample.0);
        match found.map(|place| left.remove(place)) {
            Some(other) if same(sample.1, other.1) => {}
            Some(other) => {
                lines.push(line('-', sample));
                lines.push(line('+', &other));
                if sample.1.is_nan() && other.1.is_nan() {
                    lines.push("  NaN is never the same as NaN, in promtool as well".into());
                }
            }
            None => lines.push(line('-', sample)),
        }
    }
    lines.extend(left.iter().map(|sample| line('+', sample)));
    lines
}

/// The alert that was most likely meant: it shares more labels than it differs in.
fn nearest(alert: &ExpectedAlert, among: &[ExpectedAlert]) -> Option<usize> {
    let shared = |other: &ExpectedAlert| {
        let pairs = alert.labels.iter();
        pairs
            .filter(|(name, value)| other.labels.get(*name) == Some(value))
            .count()
    };
    let scored = among.iter().enumerate();
    let best = scored.max_by_key(|(_, other)| shared(other))?;
    let wide = alert.labels.len().max(best.1.labels.len());
    (shared(best.1) * 2 >= wide).then_some(best.0)
}

fn changed(expected: &ExpectedAlert, got: &ExpectedAlert) -> Vec<String> {
    let mut lines = vec![format!("  {}", shown(&expected.labels))];
    let labels = changes(&expected.labels, &got.labels);
    lines.extend(labels.map(|(sign, name, value)| format!("{sign}   label {name}: {value:?}")));
    let annotations = changes(&expected.annotations, &got.annotations);
    lines.extend(
        annotations.map(|(sign, name, value)| format!("{sign}   annotation {name}: {value:?}")),
    );
    lines
}

fn changes<'p>(
    expected: &'p Pairs,
    got: &'p Pairs,
) -> impl Iterator<Item = (char, &'p str, &'p str)> {
    let names: BTreeSet<&str> = expected
        .keys()
        .chain(got.keys())
        .map(String::as_str)
        .collect();
    names.into_iter().flat_map(|name| {
        let (before, after) = (expected.get(name), got.get(name));
        let differs = before != after;
        let minus = before.map(|value| ('-', name, value.as_str()));
        let plus = after.map(|value| ('+', name, value.as_str()));
        minus.into_iter().chain(plus).filter(move |_| differs)
    })
}

/// Labels but for the name of the alert, which is known.
pub(super) fn shown(labels: &Pairs) -> String {
    let pairs = labels.iter().filter(|(name, _)| *name != "alertname");
    let pairs: Vec<String> = pairs
        .map(|(name, value)| format!("{name}={value:?}"))
        .collect();
    format!("{{{}}}", pairs.join(", "))
}
