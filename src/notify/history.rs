//! How the value of an alert has come about, drawn with characters.

use std::fmt;
use std::sync::Arc;

use super::words;
use crate::rules::Alert;
use crate::sample::Timestamp;

/// The heights of a value between the least and the greatest.
const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

type Values = dyn Fn(&Alert, Timestamp) -> Vec<f64> + Send + Sync;

/// Gives what an alert's value was over the hour before a moment, at equal distances, the newest last.
#[derive(Clone)]
pub struct History(Arc<Values>);

impl History {
    /// As the function says.
    pub fn new(values: impl Fn(&Alert, Timestamp) -> Vec<f64> + Send + Sync + 'static) -> Self {
        History(Arc::new(values))
    }

    /// The last hour in one line; empty where there is nothing to see.
    pub(super) fn line(&self, alert: &Alert, now: Timestamp) -> String {
        sparkline(&(self.0)(alert, now))
    }
}

impl Default for History {
    /// Of nothing.
    fn default() -> Self {
        History::new(|_, _| Vec::new())
    }
}

impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("History")
    }
}

/// `▁▁▃▇█ from 1 to 8`.
fn sparkline(values: &[f64]) -> String {
    let values: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if values.len() < 2 {
        return String::new();
    }
    if least == most {
        return format!("always {}", words::value(least));
    }
    let top = (HEIGHTS.len() - 1) as f64;
    let height = |value: &f64| HEIGHTS[((value - least) / (most - least) * top).round() as usize];
    let line: String = values.iter().map(height).collect();
    format!(
        "{line} from {} to {}",
        words::value(least),
        words::value(most)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_become_heights() {
        let cases: [(&[f64], &str); 5] = [
            (&[], ""),
            (&[1.0], ""),
            (&[2.5, f64::NAN, 2.5], "always 2.5"),
            (&[0.0, 1.0, 7.0, 3.5, 6.4], "▁▂█▅▇ from 0 to 7"),
            (
                &[-f64::INFINITY, 1e12, -1e12],
                "█▁ from -1000000000000 to 1000000000000",
            ),
        ];
        for (values, expected) in cases {
            assert_eq!(sparkline(values), expected);
        }
    }
}
