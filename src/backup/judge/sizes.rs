//! What size is usual.

/// How many backups a typical size is taken from, at least and at most.
const TYPICAL_OF: std::ops::RangeInclusive<usize> = 3..=7;

/// A backup smaller than this share of the typical size is not what it usually is, and a test holds the rule
/// `BackupShrunk` to it; nor is one larger than its inverse.
const USUAL: f64 = 0.5;

/// Whether a size is near enough to the typical one, both in bytes.
pub(in crate::backup) fn is_usual(size: u64, typical: f64) -> bool {
    (USUAL..=1.0 / USUAL).contains(&(size as f64 / typical))
}

/// The usual size of backups, in bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sizes {
    /// The median.
    pub(super) typical: f64,
    /// How far they lie from it: the median of the distances, which one odd backup does not move.
    pub(super) spread: f64,
}

impl Sizes {
    /// Of sizes, the latest first; nothing of too few.
    pub(super) fn of(mut sizes: Vec<u64>) -> Option<Sizes> {
        sizes.truncate(*TYPICAL_OF.end());
        if sizes.len() < *TYPICAL_OF.start() {
            return None;
        }
        let sizes: Vec<f64> = sizes.into_iter().map(|bytes| bytes as f64).collect();
        let typical = median(sizes.clone());
        let distances = sizes.iter().map(|size| (size - typical).abs());
        Some(Sizes {
            typical,
            spread: median(distances.collect()),
        })
    }
}

/// The middle of numbers, of which there is at least one.
pub(super) fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_unstable_by(f64::total_cmp);
    let middle = numbers.len() / 2;
    if numbers.len() % 2 == 1 {
        numbers[middle]
    } else {
        f64::midpoint(numbers[middle - 1], numbers[middle])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sizes, and the median and the spread of them.
    type Case = (&'static [u64], Option<(f64, f64)>);

    #[test]
    fn a_typical_size_needs_three() {
        let cases: [Case; 7] = [
            (&[], None),
            (&[1, 2], None),
            (&[3, 1, 2], Some((2.0, 1.0))),
            (&[4, 1, 2, 3], Some((2.5, 1.0))),
            (&[5, 5, 5, 5, 500], Some((5.0, 0.0))),
            (
                &[1, 1, 1, 1, 1, 1, 1, 9, 9, 9, 9, 9, 9, 9, 9, 9],
                Some((1.0, 0.0)),
            ),
            (
                &[u64::MAX, u64::MAX, 1, u64::MAX],
                Some((u64::MAX as f64, 0.0)),
            ),
        ];
        for (sizes, expected) in cases {
            let found = Sizes::of(sizes.to_vec()).map(|sizes| (sizes.typical, sizes.spread));
            assert_eq!(found, expected, "{sizes:?}");
        }
    }
}
