//! What stands on the page: every family once, in order of its name, with its rows in order of their labels.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::sample::{Family, Labels, Sample, Source};

/// One family and its series.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) family: Arc<Family>,
    pub(super) rows: Vec<(Labels, f64)>,
}

/// Sorts samples into families. Where two sources disagree about a family the first one's type and HELP hold for both,
/// and of two samples of one series the first counts, so that no collector can spoil another's page.
pub(super) fn gather(current: &[(Source, Arc<[Sample]>)], server: Option<&str>) -> Vec<Rows> {
    let mut families: BTreeMap<&str, (&Arc<Family>, Vec<(&Labels, f64)>)> = BTreeMap::new();
    let wanted = current
        .iter()
        .filter(|(source, _)| server.is_none_or(|name| *source.server == *name));
    for sample in wanted.flat_map(|(_, samples)| samples.iter()) {
        let entry = families.entry(&sample.family.name);
        let (_, rows) = entry.or_insert_with(|| (&sample.family, Vec::new()));
        rows.push((&sample.labels, sample.value));
    }
    families
        .into_values()
        .map(|(family, mut rows)| {
            // The sort is stable: of equal series the first stays first.
            rows.sort_by(|(one, _), (other, _)| one.cmp(other));
            rows.dedup_by(|(later, _), (earlier, _)| later == earlier);
            let owned = |(labels, value): (&Labels, f64)| (labels.clone(), value);
            Rows {
                family: family.clone(),
                rows: rows.into_iter().map(owned).collect(),
            }
        })
        .collect()
}
