//! What is to be known about a result beside its value, in the words of Prometheus' annotations.

use std::collections::BTreeMap;

use super::number::format_short;

/// Warnings and infos so far: each text once, with the place in the expression that it was last about, where that is
/// known.
#[derive(Debug, Default)]
pub(super) struct Notes {
    warnings: BTreeMap<String, Option<usize>>,
    infos: BTreeMap<String, Option<usize>>,
}

impl Notes {
    /// A quantile that is none.
    pub(super) fn quantile(&mut self, value: f64, place: Option<usize>) {
        let value = format_short(value);
        let text = format!("PromQL warning: quantile value should be between 0 and 1, got {value}");
        self.warnings.insert(text, place);
    }

    /// A bucket of a histogram that does not say how far it reaches.
    pub(super) fn bucket(&mut self, le: &str, metric: &str, place: Option<usize>) {
        let text = format!(
            "PromQL warning: bucket label \"le\" is missing or has a malformed value of {le:?}{}",
            about(metric)
        );
        self.warnings.insert(text, place);
    }

    /// Buckets whose counts had to be raised to those below them.
    pub(super) fn monotonicity(&mut self, metric: &str, place: Option<usize>) {
        let text = format!(
            "PromQL info: input to histogram_quantile needed to be fixed for monotonicity (see \
             https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile){}",
            about(metric)
        );
        self.infos.insert(text, place);
    }

    /// A rate of what is hardly a counter.
    pub(super) fn no_counter(&mut self, metric: &str, place: Option<usize>) {
        let text = format!(
            "PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: {metric:?}"
        );
        self.infos.insert(text, place);
    }

    /// Warnings and infos, their places as line and column of the expression.
    pub(super) fn finish(self, expression: &str) -> (Vec<String>, Vec<String>) {
        let print = |(text, place): (String, Option<usize>)| match place {
            Some(place) => format!("{text} ({})", line_and_column(expression, place)),
            None => text,
        };
        let warnings = self.warnings.into_iter().map(print).collect();
        (warnings, self.infos.into_iter().map(print).collect())
    }
}

fn about(metric: &str) -> String {
    match metric {
        "" => String::new(),
        metric => format!(" for metric name {metric:?}"),
    }
}

/// `line:column`, both from 1 on, the column in bytes.
pub(super) fn line_and_column(expression: &str, place: usize) -> String {
    let before = &expression.as_bytes()[..place.min(expression.len())];
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let start = before.iter().rposition(|byte| *byte == b'\n');
    let column = place - start.map_or(0, |newline| newline + 1) + 1;
    format!("{line}:{column}")
}
