//! Series over time, drawn with blocks: a panel each, with the least, greatest and last value, above one axis of time.

use std::time::Duration;

use crate::promql::format_number;
use crate::sample::Timestamp;

use super::data::{Labels, Point, series};
use super::times::beneath_axis;

/// An eighth of a row more each.
const BLOCKS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// More series than these are not drawn.
const MOST_DRAWN: usize = 20;
const COLOUR: &str = "\u{1b}[36m";
const PLAIN: &str = "\u{1b}[0m";

/// What is drawn on.
pub(super) struct Drawing {
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
    pub(super) step: Duration,
    pub(super) width: usize,
    pub(super) coloured: bool,
}

/// The least and the greatest value, none of them infinite.
#[derive(Clone, Copy)]
struct Bounds {
    least: f64,
    greatest: f64,
}

impl Drawing {
    /// The whole chart.
    pub(super) fn text(&self, all: &[(Labels, Vec<Point>)]) -> String {
        if all.is_empty() {
            return "no series in this time\n".into();
        }
        let rows = match all.len() {
            1 => 8,
            2 | 3 => 4,
            _ => 2,
        };
        let mut text = String::new();
        for (labels, points) in all.iter().take(MOST_DRAWN) {
            let values = points.iter().filter_map(|(at, value)| {
                let value = value.parse::<f64>().ok()?;
                Some((Timestamp::from_seconds(*at), value))
            });
            let values: Vec<(Timestamp, f64)> = values.collect();
            text.push_str(&self.panel(&series(labels), &values, rows));
        }
        text.push_str(&self.axis());
        if let Some(more) = all.len().checked_sub(MOST_DRAWN).filter(|more| *more > 0) {
            text.push_str(&format!(
                "and {more} more series; `--format csv` has them all\n"
            ));
        }
        text
    }

    fn panel(&self, title: &str, values: &[(Timestamp, f64)], rows: usize) -> String {
        let mut text = format!("{title}\n");
        let Some(bounds) = bounds(values) else {
            let words = match values.last() {
                Some((_, last)) => format!("  nothing to draw, last {}\n", format_number(*last)),
                None => "  no values\n".into(),
            };
            return text + &words;
        };
        let columns = self.columns(values);
        let base = bounds.base();
        for row in (0..rows).rev() {
            let drawn = columns.iter().map(|value| match value {
                Some(value) => block(bounds.level(*value, rows), row),
                None => ' ',
            });
            let drawn: String = drawn.collect();
            let mark = match row {
                0 => short(base),
                row if row + 1 == rows => short(bounds.greatest),
                _ => String::new(),
            };
            let drawn = match self.coloured {
                true => format!("{COLOUR}{}{PLAIN}", drawn.trim_end()),
                false => drawn.trim_end().to_owned(),
            };
            text.push_str(&format!("{mark:>MARK$} ┤{drawn}\n"));
        }
        let last = values.last().map_or(f64::NAN, |(_, value)| *value);
        let [least, greatest, last] = [bounds.least, bounds.greatest, last].map(short);
        text + &format!("{:MARK$}  min {least}  max {greatest}  last {last}\n", "")
    }

    /// The value at the end of each column, as far as one is no older than a step or a column.
    fn columns(&self, values: &[(Timestamp, f64)]) -> Vec<Option<f64>> {
        let count = self.room();
        let length = self.end.since(self.start).as_millis() as f64;
        let patience = self.step.as_millis() as f64 + length / count as f64;
        let mut columns = Vec::with_capacity(count);
        let mut next = 0;
        for column in 1..=count {
            let end = self.start.0 as f64 + length * column as f64 / count as f64;
            while values.get(next).is_some_and(|(at, _)| at.0 as f64 <= end) {
                next += 1;
            }
            let newest = next.checked_sub(1).and_then(|place| values.get(place));
            let fresh = newest.filter(|(at, _)| end - (at.0 as f64) < patience);
            columns.push(fresh.map(|(_, value)| *value));
        }
        columns
    }

    /// Times beneath the beginning, the middle and the end.
    fn axis(&self) -> String {
        let (room, length) = (self.room(), self.end.since(self.start));
        let middle = self.start + length / 2;
        let [first, half, last] = [self.start, middle, self.end].map(|at| beneath_axis(at, length));
        let left = room.saturating_sub(first.len() + half.len() + last.len());
        let times = match left / 2 {
            // The middle is left out where there is no room for it.
            0 | 1 => format!("{first}{last:>0$}", room.saturating_sub(first.len())),
            gap => {
                let (before, after) = (" ".repeat(gap), " ".repeat(left - gap));
                format!("{first}{before}{half}{after}{last}")
            }
        };
        format!(
            "{:MARK$} └{}\n{:MARK$}  {times}\n",
            "",
            "─".repeat(room),
            ""
        )
    }

    /// Columns beside the marks.
    fn room(&self) -> usize {
        self.width.saturating_sub(MARK + 2).max(20)
    }
}

/// The width of what stands to the left of the axis.
const MARK: usize = 10;

impl Bounds {
    /// Where bars begin: at zero, unless all values lie far from it.
    fn base(self) -> f64 {
        let near_zero = self.least >= 0.0 && self.least <= self.greatest / 2.0;
        if near_zero { 0.0 } else { self.least }
    }

    /// Eighths of rows; at least one, so that a value is told from none.
    fn level(self, value: f64, rows: usize) -> usize {
        let most = rows * 8;
        let height = self.greatest - self.base();
        let share = match height > 0.0 {
            true => (value - self.base()) / height,
            false => 0.5,
        };
        ((share * most as f64).round() as usize).clamp(1, most)
    }
}

fn bounds(values: &[(Timestamp, f64)]) -> Option<Bounds> {
    let finite = values
        .iter()
        .map(|(_, value)| *value)
        .filter(|value| value.is_finite());
    finite.fold(None, |bounds: Option<Bounds>, value| {
        let known = bounds.unwrap_or(Bounds {
            least: value,
            greatest: value,
        });
        Some(Bounds {
            least: known.least.min(value),
            greatest: known.greatest.max(value),
        })
    })
}

/// What of a bar is in a row, the lowest of which is the first.
fn block(level: usize, row: usize) -> char {
    BLOCKS[level.saturating_sub(row * 8).min(8)]
}

/// As many digits as fit beside the axis.
fn short(value: f64) -> String {
    let exact = format_number(value);
    if exact.len() <= MARK {
        return exact;
    }
    let rounded = format!(
        "{value:.*}",
        (7 - value.abs().log10().clamp(0.0, 7.0) as usize).min(6)
    );
    match rounded.len() <= MARK && value.abs() >= 1e-4 {
        true => rounded,
        false => format!("{value:.3e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(values: &[(f64, &str)], step: u64) -> String {
        let drawing = Drawing {
            start: Timestamp(0),
            end: Timestamp(600_000),
            step: Duration::from_secs(step),
            width: 32,
            coloured: false,
        };
        let points = values.iter().map(|(at, value)| (*at, (*value).to_owned()));
        let labels = Labels::from([("__name__".into(), "m".into())]);
        drawing.text(&[(labels, points.collect())])
    }

    #[test]
    fn a_series_is_drawn_with_its_gaps() {
        let values: Vec<(f64, String)> = (0..=20)
            .filter(|minute| !(8..12).contains(minute))
            .map(|half| (f64::from(half) * 30.0, half.to_string()))
            .collect();
        let values: Vec<(f64, &str)> = values
            .iter()
            .map(|(at, value)| (*at, value.as_str()))
            .collect();
        let text = drawn(&values, 30);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "m");
        assert_eq!(lines[1], "        20 ┤                 ▂▅█");
        assert_eq!(lines[8], "         0 ┤▃▆██████   █████████");
        assert_eq!(lines[9], "            min 0  max 20  last 20");
        assert_eq!(lines[10], "           └────────────────────");
        let drawn = lines.iter().filter(|line| !line.contains("min"));
        assert_eq!(
            drawn.map(|line| line.chars().count()).max(),
            Some(32),
            "{text}"
        );
    }

    #[test]
    fn what_cannot_be_drawn_is_said() {
        assert!(drawn(&[(0.0, "NaN"), (30.0, "+Inf")], 30).contains("nothing to draw, last +Inf"));
        assert!(drawn(&[], 30).contains("no values"));
        let level = drawn(&[(0.0, "5"), (300.0, "5")], 300);
        assert!(level.contains("min 5  max 5  last 5"), "{level}");
    }
}
