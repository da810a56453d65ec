//! Range vectors: all samples of each series, and the window over them that belongs to a moment.

use super::evaluate::Evaluation;
use super::expr::Shift;
use super::grid::Grid;
use super::rows::Head;
use crate::sample::Timestamp;

/// One series with its samples in order of time.
#[derive(Debug, Clone)]
pub(super) struct Track {
    pub(super) head: Head,
    pub(super) points: Vec<(Timestamp, f64)>,
}

/// Series, and how far each window over them reaches back.
pub(super) struct Spans<'e> {
    pub(super) tracks: Vec<Track>,
    range: i64,
    shift: &'e Shift,
}

/// What one window shows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window<'p> {
    pub(super) points: &'p [(Timestamp, f64)],
    /// It is open on the left: `(start, end]`.
    pub(super) start: i64,
    pub(super) end: i64,
}

impl<'e> Spans<'e> {
    pub(super) fn new(tracks: Vec<Track>, range: i64, shift: &'e Shift) -> Self {
        Spans {
            tracks,
            range,
            shift,
        }
    }

    /// The window of each moment over some points, in order.
    pub(super) fn windows<'p>(
        &self,
        evaluation: &Evaluation<'_>,
        points: &'p [(Timestamp, f64)],
        grid: Grid,
    ) -> impl Iterator<Item = Window<'p>> {
        let (mut from, mut to) = (0, 0);
        grid.moments().map(move |moment| {
            let end = evaluation.shifted(self.shift, moment);
            let start = end.saturating_sub(self.range);
            let passed =
                |place: usize, bound: i64| points.get(place).is_some_and(|(at, _)| at.0 <= bound);
            while passed(to, end) {
                to += 1;
            }
            while from < to && passed(from, start) {
                from += 1;
            }
            Window {
                points: &points[from..to],
                start,
                end,
            }
        })
    }
}
