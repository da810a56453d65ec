//! Texts and sets of sources, which a snapshot tells once and names by their numbers afterwards.

use std::sync::Arc;

use super::parts::Parts;
use super::{LONGEST_LABELS, SnapshotError};
use crate::sample::{Labels, Source, Sources};

/// The fewest bytes of a source.
pub(super) const SOURCE: usize = 3;

/// What has been told so far.
#[derive(Default)]
pub(super) struct Told {
    texts: Vec<Arc<str>>,
    sources: Vec<Sources>,
}

impl Told {
    /// Texts and sets of sources that are named from here on.
    pub(super) fn read_news(&mut self, parts: &mut Parts<'_>) -> Result<(), SnapshotError> {
        for _ in 0..parts.count(1)? {
            self.texts.push(parts.text()?.into());
        }
        for _ in 0..parts.count(1)? {
            let sources = (0..parts.count(SOURCE)?).map(|_| self.source(parts));
            let sources: Result<Sources, SnapshotError> = sources.collect();
            self.sources.push(sources?);
        }
        Ok(())
    }

    /// A source.
    pub(super) fn source(&self, parts: &mut Parts<'_>) -> Result<Source, SnapshotError> {
        Ok(Source {
            server: named(&self.texts, parts)?,
            database: named(&self.texts, parts)?,
            collector: named(&self.texts, parts)?,
        })
    }

    /// A set of sources that was told.
    pub(super) fn sources(&self, parts: &mut Parts<'_>) -> Result<Sources, SnapshotError> {
        named(&self.sources, parts)
    }

    /// The labels of a series.
    pub(super) fn labels(&self, parts: &mut Parts<'_>) -> Result<Labels, SnapshotError> {
        let mut pairs: Vec<(Arc<str>, Arc<str>)> = Vec::new();
        let mut length = 0;
        for _ in 0..parts.count(2)? {
            let (name, value) = (named(&self.texts, parts)?, named(&self.texts, parts)?);
            length += name.len() + value.len();
            if pairs.last().is_some_and(|(last, _)| *last >= name) || value.is_empty() {
                return Err(SnapshotError::Damaged("labels are out of order"));
            }
            pairs.push((name, value));
        }
        match length {
            0 => Err(SnapshotError::Damaged("a series has no labels")),
            1..=LONGEST_LABELS => Ok(Labels::in_order(pairs)),
            _ => Err(SnapshotError::Damaged("labels are too long")),
        }
    }
}

/// What was told under the number that comes next.
fn named<T: Clone>(told: &[T], parts: &mut Parts<'_>) -> Result<T, SnapshotError> {
    let number = usize::try_from(parts.number()?).ok();
    let named = number.and_then(|number| told.get(number)).cloned();
    named.ok_or(SnapshotError::Damaged("a number names nothing"))
}
