//! Prometheus text format 0.0.4.

use std::fmt::Write as _;

use crate::promql::format_number;
use crate::sample::{Family, Labels, MetricKind};

/// Integers below this are written as such.
const WHOLE: f64 = 1e15;

/// Appends HELP and TYPE.
pub(super) fn write_head(page: &mut String, family: &Family) {
    page.push_str("# HELP ");
    page.push_str(&family.name);
    page.push(' ');
    escape(page, &family.help, false);
    page.push_str("\n# TYPE ");
    page.push_str(&family.name);
    page.push_str(match family.kind {
        MetricKind::Counter => " counter\n",
        MetricKind::Gauge => " gauge\n",
        MetricKind::Histogram => " histogram\n",
        MetricKind::Unknown => " untyped\n",
    });
}

/// Appends a line for each series.
pub(super) fn write_rows(page: &mut String, name: &str, rows: &[(&Labels, f64)]) {
    for (labels, value) in rows {
        page.push_str(name);
        write_labels(page, labels);
        page.push(' ');
        write_number(page, *value);
        page.push('\n');
    }
}

/// Backslash and line feed, in label values and in OpenMetrics' HELP the quote as well.
pub(in crate::web) fn escape(page: &mut String, text: &str, quotes: bool) {
    if !text.contains(['\\', '\n', '"']) {
        page.push_str(text);
        return;
    }
    for character in text.chars() {
        match character {
            '\\' => page.push_str("\\\\"),
            '\n' => page.push_str("\\n"),
            '"' if quotes => page.push_str("\\\""),
            other => page.push(other),
        }
    }
}

fn write_labels(page: &mut String, labels: &Labels) {
    for (place, (name, value)) in labels.iter().enumerate() {
        page.push(if place == 0 { '{' } else { ',' });
        page.push_str(name);
        page.push_str("=\"");
        escape(page, value, true);
        page.push('"');
    }
    if !labels.is_empty() {
        page.push('}');
    }
}

/// Appends a value, whole ones quickly.
pub(in crate::web) fn write_number(page: &mut String, value: f64) {
    let whole = value as i64;
    if whole != 0 && whole as f64 == value && value.abs() < WHOLE {
        let written = write!(page, "{whole}");
        debug_assert!(written.is_ok(), "writing into a string cannot fail");
    } else {
        page.push_str(&format_number(value));
    }
}
