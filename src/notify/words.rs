//! Times, spans and values as a person reads them.

use std::time::Duration;

use crate::sample::Timestamp;

/// RFC 3339 in UTC to the second.
pub(super) fn moment(at: Timestamp) -> String {
    let exact = at.rfc3339();
    let whole = exact.split('.').next().unwrap_or_default();
    format!("{whole}Z")
}

/// A moment and how long ago it was.
pub(super) fn moment_ago(at: Timestamp, now: Timestamp) -> String {
    format!("{} ({} ago)", moment(at), span(now.since(at)))
}

/// The two largest units, such as `2 h 10 min`.
pub(super) fn span(span: Duration) -> String {
    let units = [("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)];
    let mut rest = span.as_secs();
    let mut parts = Vec::new();
    for (unit, size) in units {
        let count = rest / size;
        rest %= size;
        if count > 0 {
            parts.push(format!("{count} {unit}"));
        } else if !parts.is_empty() {
            break;
        }
        if parts.len() == 2 {
            break;
        }
    }
    if parts.is_empty() {
        "0 s".into()
    } else {
        parts.join(" ")
    }
}

/// A number with at most four digits after the point.
pub(super) fn value(value: f64) -> String {
    if !value.is_finite() {
        return value.to_string();
    }
    let text = format!("{value:.4}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text.is_empty() || text == "-" || text == "-0" {
        "0".into()
    } else {
        text.to_owned()
    }
}

/// The text without line breaks and other control characters, for headers and titles.
pub(super) fn one_line(text: &str) -> String {
    let plain: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    plain.trim().to_owned()
}

/// At most `limit` characters; what was cut off is shown as `…`.
pub(super) fn cut(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    let kept: String = text.chars().take(limit.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_two_units_at_most() {
        let cases = [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (7_805, "2 h 10 min"),
            (86_405, "1 d"),
            (90_061, "1 d 1 h"),
        ];
        for (seconds, expected) in cases {
            assert_eq!(span(Duration::from_secs(seconds)), expected);
        }
    }

    #[test]
    fn values_are_short() {
        let cases = [
            (0.0, "0"),
            (-0.00001, "0"),
            (86.0, "86"),
            (0.861_23, "0.8612"),
            (1_200_000.0, "1200000"),
            (f64::NAN, "NaN"),
        ];
        for (number, expected) in cases {
            assert_eq!(value(number), expected);
        }
    }

    #[test]
    fn moments_are_utc() {
        assert_eq!(moment(Timestamp(1_763_900_000_123)), "2025-11-23T12:13:20Z");
    }
}
