//! Which labels the elements of a vector have: some for sure, some perhaps, some never.

use std::collections::{BTreeMap, BTreeSet};

use crate::sample::NAME;

/// What is known of the labels of all elements of a vector; the metric's name is none of them.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct LabelSet {
    /// On every element, with the value where all have the same.
    certain: BTreeMap<String, Option<String>>,
    /// On some elements perhaps.
    possible: BTreeSet<String>,
    /// Labels that nobody has named may be there as well, but for these.
    open: Option<BTreeSet<String>>,
}

impl LabelSet {
    /// Nothing is known.
    pub(super) fn unknown() -> Self {
        LabelSet {
            open: Some(BTreeSet::new()),
            ..LabelSet::default()
        }
    }

    /// Whether an element may have the label.
    pub(super) fn may_have(&self, label: &str) -> bool {
        let unnamed = self.open.as_ref();
        let unnamed = unnamed.is_some_and(|gone| !gone.contains(label));
        label == NAME || self.has(label) || self.possible.contains(label) || unnamed
    }

    /// Whether every element has the label.
    pub(super) fn has(&self, label: &str) -> bool {
        self.certain.contains_key(label)
    }

    /// The value that the label has on every element.
    pub(super) fn value(&self, label: &str) -> Option<&str> {
        self.certain.get(label)?.as_deref()
    }

    /// Every label that is named.
    pub(super) fn names(&self) -> BTreeSet<&str> {
        let certain = self.certain.keys().map(String::as_str);
        certain
            .chain(self.possible.iter().map(String::as_str))
            .collect()
    }

    /// The labels that every element has.
    pub(super) fn certain(&self) -> impl Iterator<Item = &str> {
        self.certain.keys().map(String::as_str)
    }

    /// With a label on every element.
    pub(super) fn with(mut self, label: &str, value: Option<&str>) -> Self {
        self.possible.remove(label);
        let value = value.map(str::to_owned);
        self.certain.insert(label.to_owned(), value);
        self
    }

    /// With a label on some elements perhaps, whatever it was before.
    pub(super) fn perhaps_with(mut self, label: &str) -> Self {
        self.certain.remove(label);
        self.possible.insert(label.to_owned());
        self
    }

    /// Without a label.
    pub(super) fn without(mut self, label: &str) -> Self {
        self.certain.remove(label);
        self.possible.remove(label);
        if let Some(gone) = &mut self.open {
            gone.insert(label.to_owned());
        }
        self
    }

    /// With no others than these.
    pub(super) fn only(&self, labels: &[String]) -> Self {
        let mut kept = LabelSet::default();
        for label in labels {
            if let Some(value) = self.certain.get(label) {
                kept.certain.insert(label.clone(), value.clone());
            } else if self.may_have(label) {
                kept.possible.insert(label.clone());
            }
        }
        kept
    }

    /// Of elements that are of either vector.
    pub(super) fn either(&self, other: &LabelSet) -> Self {
        let mut both = LabelSet::default();
        for label in self.names().union(&other.names()) {
            if self.has(label) && other.has(label) {
                let same = self
                    .value(label)
                    .filter(|one| other.value(label) == Some(one));
                both = both.with(label, same);
            } else {
                both = both.perhaps_with(label);
            }
        }
        both.open = match (&self.open, &other.open) {
            (None, None) => None,
            (Some(one), Some(another)) => Some(one.intersection(another).cloned().collect()),
            (Some(gone), None) => Some(absent_in(gone, other)),
            (None, Some(gone)) => Some(absent_in(gone, self)),
        };
        both
    }

    /// Of elements whose labels, but for the ignored ones, are the same in both vectors.
    pub(super) fn alike(&self, other: &LabelSet, ignored: &[String]) -> Self {
        let mut both = match (&self.open, &other.open) {
            (Some(one), Some(another)) => LabelSet {
                open: Some(one.union(another).cloned().collect()),
                ..LabelSet::default()
            },
            _ => LabelSet::default(),
        };
        for label in self.names().union(&other.names()) {
            if self.has(label) || other.has(label) {
                both = both.with(label, self.value(label).or(other.value(label)));
            } else if self.may_have(label) && other.may_have(label) {
                both = both.perhaps_with(label);
            }
        }
        ignored.iter().fold(both, |both, label| both.without(label))
    }
}

/// Of the labels that one vector never has, those that another has not either.
fn absent_in(gone: &BTreeSet<String>, other: &LabelSet) -> BTreeSet<String> {
    let each = gone.iter().filter(|label| !other.may_have(label));
    each.cloned().collect()
}
