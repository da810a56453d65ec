//! The series that a test is fed with, moment by moment.

use std::collections::BTreeMap;

use crate::document::{Place, Problem};
use crate::sample::{Labels, Sources, Timestamp};
use crate::store::Store;

use super::file::Test;
use super::notation::{Point, series};

/// Series that are yet to come into the store.
pub(super) struct Input {
    series: Vec<(Labels, Vec<Point>)>,
    /// How many moments have come.
    fed: usize,
}

impl Input {
    /// Reads the series of a test, and says what of them promtool would not read.
    ///
    /// # Errors
    /// The series that cannot be read.
    pub(super) fn of(test: &Test) -> Result<(Input, Option<Problem>), Vec<Problem>> {
        let (lines, warning) = lines(test);
        // Of two series with the same labels the later counts.
        let (mut found, mut mistakes) = (BTreeMap::new(), Vec::new());
        for (line, place) in lines {
            match series(&line) {
                Ok((labels, points)) => {
                    found.insert(labels, points);
                }
                Err(cause) => {
                    mistakes.push(Problem::at(place, format!("series `{line}`: {cause}")))
                }
            }
        }
        let input = Input {
            series: found.into_iter().collect(),
            fed: 0,
        };
        if mistakes.is_empty() {
            Ok((input, warning))
        } else {
            Err(mistakes)
        }
    }

    /// The names of its metrics, each as often as it has series.
    pub(super) fn metrics(&self) -> impl Iterator<Item = &str> {
        self.series.iter().map(|(labels, _)| labels.metric())
    }

    /// Adds what has come by a moment.
    pub(super) fn feed(&mut self, store: &Store, test: &Test, until: Timestamp) {
        let longest = self.series.iter().map(|(_, points)| points.len()).max();
        while self.fed < longest.unwrap_or(0) {
            let at = test.start + test.interval * u32::try_from(self.fed).unwrap_or(u32::MAX);
            if at > until {
                return;
            }
            let now = self.series.iter().filter_map(|(labels, points)| {
                let value = points.get(self.fed).copied().flatten()?;
                Some((labels.clone(), value))
            });
            store.append(at, &Sources::default(), now);
            self.fed += 1;
        }
    }
}

/// promtool writes all series into one text, a line for each, and reads that to the first empty line: a text over
/// several lines is several series, and one that ends with a line break is the last.
fn lines(test: &Test) -> (Vec<(String, &Place)>, Option<Problem>) {
    let mut lines = Vec::new();
    for written in &test.input {
        let both = format!("{} {}", written.series, written.values);
        for line in both.split('\n').map(str::trim) {
            lines.push((line.to_owned(), &written.place));
        }
    }
    let end = lines
        .iter()
        .position(|(line, _)| line.is_empty() || line.starts_with('#'));
    let end = end.unwrap_or(lines.len());
    let lost = lines[end..].iter().find(|(line, _)| !line.is_empty());
    let warning = lost.map(|(_, place)| Problem {
        hint: Some("write values on one line, or fold them with `>-`".into()),
        ..Problem::at(place, "this series and those after it are not read, for an empty line or a comment comes before")
    });
    lines.truncate(end);
    (lines, warning)
}
