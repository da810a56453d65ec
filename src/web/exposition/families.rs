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
    let mut families: BTreeMap<&str, Rows> = BTreeMap::new();
    let wanted = current
        .iter()
        .filter(|(source, _)| server.is_none_or(|name| *source.server == *name));
    for sample in wanted.flat_map(|(_, samples)| samples.iter()) {
        let family = families.entry(&sample.family.name).or_insert_with(|| Rows {
            family: sample.family.clone(),
            rows: Vec::new(),
        });
        family.rows.push((sample.labels.clone(), sample.value));
    }
    let mut gathered: Vec<Rows> = families.into_values().collect();
    for Rows { rows, .. } in &mut gathered {
        // A stable sort: of equal series the first stays first.
        rows.sort_by(|one, other| one.0.cmp(&other.0));
        rows.dedup_by(|later, earlier| later.0 == earlier.0);
    }
    gathered
}
