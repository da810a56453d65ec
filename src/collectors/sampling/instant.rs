//! Points in time as PostgreSQL writes them in ISO style.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// Unix seconds of a text such as `2026-11-23 15:40:02.5+01`; what has no zone is taken as UTC. `None` for any other
/// text.
pub(super) fn unix_seconds(text: &str) -> Option<f64> {
    // A date has ten characters; what is shorter or begins otherwise is not worth a try.
    if text.len() < 10 || !text.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let moment: Timestamp = match text.parse() {
        Ok(moment) => moment,
        Err(_) => {
            let civil: DateTime = text.parse().ok()?;
            TimeZone::UTC.to_timestamp(civil).ok()?
        }
    };
    Some(SignedDuration::from_nanos(i64::try_from(moment.as_nanosecond()).ok()?).as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_its_unix_time() {
        let cases = [
            ("1970-01-01 00:00:01+00", Some(1.0)),
            ("2026-11-23 15:40:02.5+00", Some(1_795_448_402.5)),
            ("2026-11-23 15:40:02.5-05:30", Some(1_795_468_202.5)),
            ("2026-11-23 15:40:02", Some(1_795_448_402.0)),
            ("2026-11-23", Some(1_795_392_000.0)),
            ("1970-01-01 00:00:00.25+00", Some(0.25)),
            ("2026-13-23", None),
            ("10.0.0.1/32", None),
            ("16/B374D848", None),
            ("1 day 02:03:04", None),
            ("infinity", None),
        ];
        for (text, seconds) in cases {
            assert_eq!(unix_seconds(text), seconds, "{text}");
        }
    }
}
