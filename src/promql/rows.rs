//! An instant vector over all moments of an evaluation: one row per series, one column per moment.

use crate::sample::{Labels, STALE, Sources, is_stale};

/// What stands where a series has no value. No operation gives it: the marker of a series' end is a signalling NaN, and
/// samples of that value are never selected.
pub(super) const ABSENT: f64 = STALE;

/// Whether a value is there.
pub(super) fn is_present(value: f64) -> bool {
    !is_stale(value)
}

/// What a row is called, and what it rests on.
#[derive(Debug, Clone, Default)]
pub(super) struct Head {
    pub(super) labels: Labels,
    pub(super) sources: Sources,
    /// The metric name goes at the very end, so that until then it can still be matched and grouped by.
    pub(super) drop_name: bool,
}

/// Rows of equal width. No row is without any value.
#[derive(Debug, Clone, Default)]
pub(super) struct Rows {
    heads: Vec<Head>,
    values: Vec<f64>,
    width: usize,
}

impl Rows {
    /// No rows yet, for so many moments.
    pub(super) fn new(width: usize) -> Self {
        Rows {
            heads: Vec::new(),
            values: Vec::new(),
            width,
        }
    }

    /// With room for so many rows.
    pub(super) fn with_capacity(width: usize, rows: usize) -> Self {
        Rows {
            heads: Vec::with_capacity(rows),
            values: Vec::with_capacity(rows.saturating_mul(width)),
            width,
        }
    }

    /// How many moments there are.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// How many rows there are.
    pub(super) fn len(&self) -> usize {
        self.heads.len()
    }

    /// How many values there is room for.
    pub(super) fn size(&self) -> usize {
        self.values.len()
    }

    /// Adds a row that `fill` writes into; one that stays without a value is not kept.
    pub(super) fn push(&mut self, head: Head, fill: impl FnOnce(&mut [f64])) {
        let start = self.values.len();
        self.values.resize(start + self.width, ABSENT);
        fill(&mut self.values[start..]);
        if self.values[start..].iter().copied().any(is_present) {
            self.heads.push(head);
        } else {
            self.values.truncate(start);
        }
    }

    /// A row's head.
    pub(super) fn head(&self, row: usize) -> &Head {
        &self.heads[row]
    }

    /// All heads.
    pub(super) fn heads(&self) -> &[Head] {
        &self.heads
    }

    /// All heads, to be changed.
    pub(super) fn heads_mut(&mut self) -> &mut [Head] {
        &mut self.heads
    }

    /// A row's values.
    pub(super) fn row(&self, row: usize) -> &[f64] {
        &self.values[row * self.width..(row + 1) * self.width]
    }

    /// Every row with its head.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Head, &[f64])> {
        let rows = (0..self.heads.len()).map(|row| self.row(row));
        self.heads.iter().zip(rows)
    }

    /// Puts another value, or none, in the place of each, given the place of its moment; rows that have no value left go.
    pub(super) fn map(mut self, change: impl Fn(f64, usize) -> Option<f64>) -> Rows {
        for row in 0..self.heads.len() {
            let values = &mut self.values[row * self.width..(row + 1) * self.width];
            for (place, value) in values.iter_mut().enumerate() {
                if is_present(*value) {
                    *value = change(*value, place).unwrap_or(ABSENT);
                }
            }
        }
        self.without_empty()
    }

    /// The rows of these numbers, in this order.
    pub(super) fn picked(&self, order: &[usize]) -> Rows {
        let mut picked = Rows::with_capacity(self.width, order.len());
        for row in order {
            picked.push(self.heads[*row].clone(), |values| {
                values.copy_from_slice(self.row(*row));
            });
        }
        picked
    }

    /// Takes over the rows of another of the same width.
    pub(super) fn extend(&mut self, other: Rows) {
        self.heads.extend(other.heads);
        self.values.extend(other.values);
    }

    fn without_empty(mut self) -> Rows {
        let width = self.width;
        let mut kept = 0;
        for row in 0..self.heads.len() {
            let span = row * width..(row + 1) * width;
            if !self.values[span.clone()].iter().copied().any(is_present) {
                continue;
            }
            if kept != row {
                self.values.copy_within(span, kept * width);
                self.heads.swap(kept, row);
            }
            kept += 1;
        }
        self.heads.truncate(kept);
        self.values.truncate(kept * width);
        self
    }
}

/// One number for each moment, and what they rest on.
#[derive(Debug, Clone)]
pub(super) struct Numbers {
    pub(super) values: Vec<f64>,
    pub(super) sources: Sources,
}

impl Numbers {
    /// The same number at every moment.
    pub(super) fn constant(value: f64, count: usize) -> Self {
        Numbers {
            values: vec![value; count],
            sources: Sources::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_without_values_go_and_the_others_keep_their_order() {
        let mut rows = Rows::new(2);
        for (name, pair) in [("a", [1.0, 2.0]), ("b", [3.0, ABSENT]), ("c", [5.0, 6.0])] {
            let head = Head {
                labels: Labels::new([("name", name)]),
                ..Head::default()
            };
            rows.push(head, |values| values.copy_from_slice(&pair));
        }
        rows.push(Head::default(), |_| {});
        assert_eq!(rows.len(), 3);
        let rows = rows.map(|value, place| (value != 3.0).then_some(value + place as f64));
        let left: Vec<(&str, &[f64])> = rows
            .iter()
            .map(|(head, values)| (head.labels.get("name"), values))
            .collect();
        assert_eq!(left, [("a", &[1.0, 3.0][..]), ("c", &[5.0, 7.0][..])]);
    }
}
