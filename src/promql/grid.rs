//! The moments at which an expression is evaluated, evenly spaced.

/// The first moment, the time to the next, and how many there are; all in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Grid {
    pub(super) start: i64,
    pub(super) step: i64,
    pub(super) count: usize,
}

impl Grid {
    /// One moment.
    pub(super) fn once(at: i64) -> Self {
        Grid {
            start: at,
            step: 1,
            count: 1,
        }
    }

    /// From `start` to `end` by a step of at least a millisecond; none where `end` comes first.
    pub(super) fn over(start: i64, end: i64, step: i64) -> Self {
        let step = step.max(1);
        let span = i128::from(end) - i128::from(start);
        let count = match span {
            ..0 => 0,
            span => usize::try_from(span / i128::from(step) + 1).unwrap_or(usize::MAX),
        };
        Grid { start, step, count }
    }

    /// A moment by its place.
    pub(super) fn moment(self, place: usize) -> i64 {
        self.start
            .saturating_add(self.step.saturating_mul(place as i64))
    }

    /// All moments in order.
    pub(super) fn moments(self) -> impl Iterator<Item = i64> {
        (0..self.count).map(move |place| self.moment(place))
    }

    /// The last moment; the first where there is none.
    pub(super) fn last(self) -> i64 {
        self.moment(self.count.saturating_sub(1))
    }
}
