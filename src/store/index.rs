//! Which series carry which label: from matchers to the few series worth a look.

use std::collections::HashMap;
use std::sync::Arc;

use super::matcher::{Matcher, Test};
use crate::sample::Labels;

/// The place of a series in the store.
pub(super) type Id = u32;

/// Series by label name and value. Its keys are the only copies of names and values that the store holds.
#[derive(Debug, Default)]
pub(super) struct Index {
    names: HashMap<Arc<str>, HashMap<Arc<str>, Vec<Id>>>,
}

impl Index {
    /// Enters a series and returns its labels made of the shared texts.
    pub(super) fn insert(&mut self, id: Id, labels: &Labels) -> Labels {
        let pairs: Vec<(Arc<str>, Arc<str>)> = labels
            .iter()
            .map(|(name, value)| self.enter(id, name, value))
            .collect();
        Labels::new(pairs)
    }

    /// Strikes out series that are gone.
    pub(super) fn remove(&mut self, gone: impl Fn(Id) -> bool) {
        for values in self.names.values_mut() {
            values.retain(|_, ids| {
                ids.retain(|id| !gone(*id));
                !ids.is_empty()
            });
        }
        self.names.retain(|_, values| !values.is_empty());
    }

    /// Series that may meet all matchers, by the most telling `=` among them; `None` when any series may.
    pub(super) fn candidates(&self, matchers: &[Matcher]) -> Option<&[Id]> {
        matchers
            .iter()
            .filter_map(|matcher| match &matcher.test {
                Test::Equal(value) if !value.is_empty() => Some(self.ids(&matcher.name, value)),
                _ => None,
            })
            .min_by_key(|ids| ids.len())
    }

    fn ids(&self, name: &str, value: &str) -> &[Id] {
        let ids = self.names.get(name).and_then(|values| values.get(value));
        ids.map(Vec::as_slice).unwrap_or_default()
    }

    fn enter(&mut self, id: Id, name: &str, value: &str) -> (Arc<str>, Arc<str>) {
        let name = match self.names.get_key_value(name) {
            Some((known, _)) => known.clone(),
            None => Arc::from(name),
        };
        let values = self.names.entry(name.clone()).or_default();
        let value = match values.get_key_value(value) {
            Some((known, _)) => known.clone(),
            None => Arc::from(value),
        };
        values.entry(value.clone()).or_default().push(id);
        (name, value)
    }
}
