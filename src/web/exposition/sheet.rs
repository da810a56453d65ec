//! What one source has on the page, family by family, written once for each of its readings.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use super::form::Form;
use super::histogram;
use super::piece::Piece;
use crate::sample::{Family, Labels, MetricKind, Sample};

/// Rows that take fewer bytes are put together with those of other families before they are compressed.
const SMALL: usize = 4096;

/// The rows of one source under one form.
#[derive(Debug)]
pub(super) struct Sheet {
    samples: Arc<[Sample]>,
    pub(super) blocks: Vec<Block>,
}

/// The rows of one family.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) family: Arc<Family>,
    pub(super) rows: Rows,
}

/// Written rows, in order of their labels.
#[derive(Debug)]
pub(super) enum Rows {
    Few(String),
    Many { print: u64, piece: Piece },
}

impl Sheet {
    /// Writes a reading; takes over from the last one's sheet what has not changed.
    pub(super) fn write(samples: Arc<[Sample]>, form: Form, last: Option<&Sheet>) -> Sheet {
        let mut scratch = String::new();
        let is_part = |(family, _): &(&Arc<Family>, _)| family.kind == MetricKind::Histogram;
        let (parts, families): (Gathered, Gathered) =
            gather(&samples).into_iter().partition(is_part);
        let mut blocks = Vec::with_capacity(families.len());
        let mut end = |family: &Arc<Family>, text: &mut String| {
            blocks.push(Block {
                rows: Rows::of(text, form, || last?.piece(&family.name)),
                family: family.clone(),
            });
            text.clear();
        };
        for (family, rows) in families {
            form.write_rows(&mut scratch, &family.name, &rows);
            end(family, &mut scratch);
        }
        for (family, points) in histogram::families(parts) {
            histogram::write_rows(&mut scratch, form, points);
            end(&family, &mut scratch);
        }
        Sheet { samples, blocks }
    }

    /// Whether it shows just this reading.
    pub(super) fn shows(&self, samples: &Arc<[Sample]>) -> bool {
        Arc::ptr_eq(&self.samples, samples)
    }

    fn piece(&self, name: &str) -> Option<(u64, &Piece)> {
        let block = self.blocks.iter().find(|block| *block.family.name == *name);
        match &block?.rows {
            Rows::Few(_) => None,
            Rows::Many { print, piece } => Some((*print, piece)),
        }
    }
}

impl Rows {
    fn of<'l>(text: &str, form: Form, last: impl FnOnce() -> Option<(u64, &'l Piece)>) -> Rows {
        if text.len() < SMALL {
            return Rows::Few(text.to_owned());
        }
        let print = fingerprint(text);
        let known = last().filter(|(known, _)| *known == print);
        let piece = known.map_or_else(|| Piece::of(text, form.gzip), |(_, piece)| piece.clone());
        Rows::Many { print, piece }
    }
}

/// What tells one text from another without keeping it.
pub(super) fn fingerprint(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

pub(super) type Gathered<'s> = Vec<(&'s Arc<Family>, Vec<(&'s Labels, f64)>)>;

/// Rows by family. Samples of one row of an answer share their labels, so that rows are sorted, not samples.
fn gather(samples: &[Sample]) -> Gathered<'_> {
    let mut rows: Vec<&[Sample]> = samples
        .chunk_by(|one, next| one.labels.is(&next.labels))
        .collect();
    rows.sort_by(|one, other| one[0].labels.cmp(&other[0].labels));
    let mut families = Gathered::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut next = 0;
    for sample in rows.into_iter().flatten() {
        // Most rows have the same families in the same order.
        let expected = families.get(next);
        if !expected.is_some_and(|(family, _)| Arc::ptr_eq(family, &sample.family)) {
            next = *places.entry(&sample.family.name).or_insert_with(|| {
                families.push((&sample.family, Vec::new()));
                families.len() - 1
            });
        }
        families[next].1.push((&sample.labels, sample.value));
        next = (next + 1) % families.len();
    }
    families.sort_by(|one, other| one.0.name.cmp(&other.0.name));
    families
}
