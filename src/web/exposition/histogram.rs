//! Histograms: the parts of a family point by point, each point's buckets in order, then its sum and its count.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::form::Form;
use super::sheet::Gathered;
use crate::sample::{Family, Labels};

/// The label that tells a bucket's upper bound.
const BOUND: &str = "le";

/// The rows of one histogram by the labels that its buckets share.
pub(super) type Points<'s> = BTreeMap<Labels, Vec<Line<'s>>>;

/// One series of a point.
#[derive(Debug)]
pub(super) struct Line<'s> {
    name: &'s str,
    labels: &'s Labels,
    value: f64,
}

/// Puts the parts of each histogram together.
pub(super) fn families(parts: Gathered<'_>) -> Vec<(Arc<Family>, Points<'_>)> {
    let mut whole: BTreeMap<&str, (Arc<Family>, Points)> = BTreeMap::new();
    for (part, rows) in parts {
        let (_, points) = whole.entry(part.head()).or_insert_with(|| {
            let family = Family {
                name: part.head().into(),
                kind: part.kind,
                help: part.help.clone(),
            };
            (Arc::new(family), Points::new())
        });
        for (labels, value) in rows {
            let point = points.entry(labels.filtered(|name| name != BOUND));
            point.or_default().push(Line {
                name: &part.name,
                labels,
                value,
            });
        }
    }
    whole.into_values().collect()
}

/// Appends all points of a histogram.
pub(super) fn write_rows(page: &mut String, form: Form, points: Points<'_>) {
    for mut lines in points.into_values() {
        lines.sort_by(|one, other| {
            let by_part = one.part().cmp(&other.part());
            by_part.then(one.bound().total_cmp(&other.bound()))
        });
        for of_part in lines.chunk_by(|one, next| one.name == next.name) {
            let rows: Vec<_> = of_part
                .iter()
                .map(|line| (line.labels, line.value))
                .collect();
            form.write_rows(page, of_part[0].name, &rows);
        }
    }
}

impl Line<'_> {
    fn part(&self) -> Option<usize> {
        let parts = ["_bucket", "_sum", "_count"];
        parts.iter().position(|part| self.name.ends_with(part))
    }

    fn bound(&self) -> f64 {
        self.labels.get(BOUND).parse().unwrap_or_default()
    }
}
