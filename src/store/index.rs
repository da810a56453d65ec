//! Which series carry which label: from matchers to the few series worth a look.

use std::collections::HashMap;

use super::matcher::{Matcher, Test};
use super::texts::{Pair, Texts};

/// The place of a series in the store.
pub(super) type Id = u32;

/// Series by label name and value.
#[derive(Debug, Default)]
pub(super) struct Index {
    pairs: HashMap<Pair, Vec<Id>>,
}

impl Index {
    /// Enters a series.
    pub(super) fn insert(&mut self, id: Id, labels: &[Pair]) {
        for pair in labels {
            self.pairs.entry(*pair).or_default().push(id);
        }
    }

    /// Strikes out series that are gone.
    pub(super) fn remove(&mut self, gone: impl Fn(Id) -> bool) {
        self.pairs.retain(|_, ids| {
            ids.retain(|id| !gone(*id));
            !ids.is_empty()
        });
    }

    /// Series that may meet all matchers, by the most telling `=` among them; `None` when any series may.
    pub(super) fn candidates(&self, matchers: &[Matcher], texts: &Texts) -> Option<&[Id]> {
        matchers
            .iter()
            .filter_map(|matcher| match &matcher.test {
                Test::Equal(value) if !value.is_empty() => {
                    let pair = texts.find(&matcher.name).zip(texts.find(value));
                    let ids = pair.and_then(|pair| self.pairs.get(&pair));
                    Some(ids.map(Vec::as_slice).unwrap_or_default())
                }
                _ => None,
            })
            .min_by_key(|ids| ids.len())
    }
}
