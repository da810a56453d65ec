//! Moments and spans as parameters give them: seconds with a fraction, RFC 3339, durations such as `1h30m`.

use std::time::Duration;

use crate::document::parse_duration;
use crate::sample::Timestamp;

/// What Prometheus' clients write for the beginning and the end of all time.
const EDGES: [(&str, Timestamp); 2] = [
    (
        "-292273086-05-16T16:47:06Z",
        Timestamp(-9_223_309_901_257_974_000),
    ),
    (
        "292277025-08-18T07:12:54.999999999Z",
        Timestamp(9_223_309_901_257_974_999),
    ),
];

/// Seconds that still can be counted in milliseconds.
const MOST_SECONDS: f64 = 9.2e15;

/// Nanoseconds, which may be negative, as Go counts a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Span(pub(super) i64);

impl Span {
    /// As a time that something may take: what is negative is no time at all.
    pub(super) fn duration(self) -> Duration {
        Duration::from_nanos(u64::try_from(self.0).unwrap_or(0))
    }
}

/// Reads a moment.
///
/// # Errors
/// Prometheus' words.
pub(super) fn moment(text: &str) -> Result<Timestamp, String> {
    let edge = EDGES.iter().find(|(edge, _)| *edge == text);
    let read = edge.map(|(_, at)| *at);
    let read = read.or_else(|| seconds(text)).or_else(|| rfc3339(text));
    read.ok_or_else(|| format!("cannot parse {text:?} to a valid timestamp"))
}

fn seconds(text: &str) -> Option<Timestamp> {
    let seconds: f64 = text.parse().ok()?;
    let millis = seconds.trunc() * 1000.0 + (seconds.fract() * 1000.0).round();
    (seconds.abs() < MOST_SECONDS).then_some(Timestamp(millis as i64))
}

/// As strictly as Go reads it: jiff alone would take a date without seconds, or with a blank for the `T`.
fn rfc3339(text: &str) -> Option<Timestamp> {
    let (date, rest) = (text.get(..11)?, text.get(19..)?);
    let zone = rest.trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
    let shifted = zone.len() == 6 && zone.starts_with(['+', '-']) && zone.as_bytes()[3] == b':';
    if !date.ends_with('T') || !(zone == "Z" || shifted) {
        return None;
    }
    let at: jiff::Timestamp = text.parse().ok()?;
    i64::try_from(at.as_nanosecond().div_euclid(1_000_000))
        .ok()
        .map(Timestamp)
}

/// Reads a span.
///
/// # Errors
/// Prometheus' words.
pub(super) fn span(text: &str) -> Result<Span, String> {
    let wrong = || format!("cannot parse {text:?} to a valid duration");
    if let Ok(seconds) = text.parse::<f64>() {
        let nanos = seconds * 1e9;
        if nanos.abs() > i64::MAX as f64 {
            return Err(format!("{}. It overflows int64", wrong()));
        }
        return Ok(Span(nanos as i64));
    }
    let nanos = parse_duration(text).map(|span| i64::try_from(span.as_nanos()));
    match nanos {
        Ok(Ok(nanos)) => Ok(Span(nanos)),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[-+0-9.eé:TZyms]{0,40}|.{0,40}") {
            let _ = (moment(&text), span(&text));
        }
    }

    #[test]
    fn moments_have_three_forms() {
        let cases = [
            ("1435781451.781", Some(1_435_781_451_781)),
            ("1435781451", Some(1_435_781_451_000)),
            ("-1.5", Some(-1_500)),
            ("1e3", Some(1_000_000)),
            ("0.0004", Some(0)),
            ("2015-07-01T20:10:51.781Z", Some(1_435_781_451_781)),
            ("2015-07-01T22:10:51.781+02:00", Some(1_435_781_451_781)),
            ("1969-12-31T23:59:59.9995Z", Some(-1)),
            (EDGES[0].0, Some(EDGES[0].1.0)),
            (EDGES[1].0, Some(EDGES[1].1.0)),
            ("2015-07-01 20:10:51Z", None),
            ("2015-07-01T20:10Z", None),
            ("2015-07-01T20:10:51", None),
            ("2015-07-01T20:10:51+02", None),
            ("2015-07-01T20:10:51Z[UTC]", None),
            ("NaN", None),
            ("1e30", None),
            ("é2015-07-01T20:10:5é", None),
            ("x", None),
            ("", None),
        ];
        for (text, expected) in cases {
            let expected = expected
                .map(Timestamp)
                .ok_or_else(|| format!("cannot parse \"{text}\" to a valid timestamp"));
            assert_eq!(moment(text), expected, "{text}");
        }
    }

    #[test]
    fn spans_are_seconds_or_durations() {
        let cases = [
            ("60", Ok(60_000_000_000)),
            ("1.5", Ok(1_500_000_000)),
            ("-1", Ok(-1_000_000_000)),
            ("1h30m", Ok(5_400_000_000_000)),
            ("0s", Ok(0)),
            ("NaN", Ok(0)),
            (
                "1e10",
                Err("\"1e10\" to a valid duration. It overflows int64"),
            ),
            ("-1s", Err("\"-1s\" to a valid duration")),
            ("1h1h", Err("\"1h1h\" to a valid duration")),
            ("300y", Err("\"300y\" to a valid duration")),
            ("x", Err("\"x\" to a valid duration")),
        ];
        for (text, expected) in cases {
            let expected = expected
                .map(Span)
                .map_err(|said| format!("cannot parse {said}"));
            assert_eq!(span(text), expected, "{text}");
        }
    }
}
