//! Which names and values labels have.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::index::Id;
use super::{Matcher, Store};
use crate::sample::Timestamp;

impl Store {
    /// The names of the labels of all series that meet every matcher and have samples in `(after, until]`, in order.
    pub fn label_names(
        &self,
        matchers: &[Matcher],
        after: Timestamp,
        until: Timestamp,
    ) -> Vec<Arc<str>> {
        let held = self.read();
        let shelf = &held.shelf;
        let names: BTreeSet<Arc<str>> = if matchers.is_empty() {
            let lists = |ids: &[Id]| shelf.any_overlaps(ids, after, until);
            let names = shelf.index().names();
            let names = names.filter(|(_, values)| values.values().any(|ids| lists(ids)));
            names.map(|(name, _)| name.clone()).collect()
        } else {
            let found = shelf.matching(matchers);
            let found = found.filter(|series| series.overlaps(after, until));
            let names: BTreeSet<&str> = found
                .flat_map(|series| series.labels.iter().map(|(name, _)| name))
                .collect();
            names.into_iter().map(Arc::from).collect()
        };
        names.into_iter().collect()
    }

    /// The values of a label in all series that meet every matcher and have samples in `(after, until]`, in order.
    pub fn label_values(
        &self,
        name: &str,
        matchers: &[Matcher],
        after: Timestamp,
        until: Timestamp,
    ) -> Vec<Arc<str>> {
        let held = self.read();
        let shelf = &held.shelf;
        let mut values: Vec<Arc<str>> = if matchers.is_empty() {
            let values = shelf.index().values(name).into_iter().flatten();
            let values = values.filter(|(_, ids)| shelf.any_overlaps(ids, after, until));
            values.map(|(value, _)| value.clone()).collect()
        } else {
            let found = shelf.matching(matchers);
            let found = found.filter(|series| series.overlaps(after, until));
            let values: BTreeSet<&str> = found
                .map(|series| series.labels.get(name))
                .filter(|value| !value.is_empty())
                .collect();
            values.into_iter().map(Arc::from).collect()
        };
        values.sort_unstable();
        values
    }
}
