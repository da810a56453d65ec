//! Prometheus text format 0.0.4.

use crate::promql::format_number;
use crate::sample::{Labels, MetricKind};

use super::families::Rows;

/// Writes the families in their order.
pub(super) fn write(families: &[Rows]) -> String {
    let series: usize = families.iter().map(|family| family.rows.len()).sum();
    let mut page = String::with_capacity(series * 96 + families.len() * 160);
    for Rows { family, rows } in families {
        let name = &family.name;
        page.push_str("# HELP ");
        page.push_str(name);
        page.push(' ');
        escape(&mut page, &family.help, false);
        page.push_str("\n# TYPE ");
        page.push_str(name);
        page.push_str(match family.kind {
            MetricKind::Counter => " counter\n",
            MetricKind::Gauge => " gauge\n",
            MetricKind::Unknown => " untyped\n",
        });
        for (labels, value) in rows {
            page.push_str(name);
            write_labels(&mut page, labels);
            page.push(' ');
            page.push_str(&format_number(*value));
            page.push('\n');
        }
    }
    page
}

/// Backslash and line feed, in label values and in OpenMetrics' HELP the quote as well.
pub(super) fn escape(page: &mut String, text: &str, quotes: bool) {
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
