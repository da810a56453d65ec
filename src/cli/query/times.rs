//! Moments and spans as people write them on the command line.

use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::document::parse_duration;
use crate::sample::Timestamp;

/// Steps that are easy to think in.
const STEPS: [u64; 14] = [
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200,
];

/// Reads seconds since 1970, RFC 3339, a local date and time, or a time ago such as `-1h`.
///
/// # Errors
/// What it may be.
pub(in crate::cli) fn moment(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    if text == "now" {
        return Ok(now);
    }
    if let Some(ago) = text
        .strip_prefix('-')
        .map(parse_duration)
        .and_then(Result::ok)
    {
        return Ok(now.before(ago));
    }
    if let Ok(seconds) = text.parse::<f64>() {
        return Ok(Timestamp::from_seconds(seconds));
    }
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Ok(Timestamp(at.as_millisecond()));
    }
    let local = text.parse::<DateTime>().ok();
    let local = local.and_then(|local| local.to_zoned_datetime(TimeZone::system()).ok());
    local
        .map(|zoned| Timestamp(zoned.timestamp().as_millisecond()))
        .ok_or_else(|| {
            format!(
                "`{text}` is no moment; write seconds since 1970, `2026-01-31T12:00:00Z`, a local `2026-01-31 12:00`, or a \
                 time ago such as `-1h`"
            )
        })
}

/// Reads a span that is not zero, such as `1h`.
///
/// # Errors
/// What is wrong.
pub(super) fn span(flag: &str, text: &str) -> Result<Duration, String> {
    match parse_duration(text) {
        Ok(span) if span.is_zero() => Err(format!("{flag} is zero")),
        read => read.map_err(|cause| format!("{flag}: {cause}")),
    }
}

/// A step with which a range has about as many values as there are columns.
pub(super) fn step(range: Duration, columns: usize) -> Duration {
    let least = range.as_secs().div_ceil(columns.max(1) as u64);
    let easy = STEPS.iter().find(|step| **step >= least);
    let days = |least: u64| least.div_ceil(86_400) * 86_400;
    Duration::from_secs(easy.copied().unwrap_or_else(|| days(least)))
}

/// A moment in local time, to the second.
pub(in crate::cli) fn written(at: Timestamp) -> String {
    printed(at, "%Y-%m-%d %H:%M:%S")
}

/// A moment beneath an axis of a length: no more than tells it from the others.
pub(super) fn beneath_axis(at: Timestamp, length: Duration) -> String {
    let format = match length.as_secs() {
        0..=600 => "%H:%M:%S",
        601..=86_400 => "%H:%M",
        _ => "%m-%d %H:%M",
    };
    printed(at, format)
}

fn printed(at: Timestamp, format: &str) -> String {
    match jiff::Timestamp::from_millisecond(at.0) {
        Ok(at) => at
            .to_zoned_datetime(TimeZone::system())
            .strftime(format)
            .to_string(),
        Err(_) => at.seconds().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_in_every_form() {
        let now = Timestamp(1_800_000_000_000);
        let cases = [
            ("now", 1_800_000_000_000),
            ("-1h30m", 1_799_994_600_000),
            ("60.5", 60_500),
            ("-60", -60_000),
            ("1970-01-01T00:01:00Z", 60_000),
            ("1970-01-01T01:01:00+01:00", 60_000),
        ];
        for (text, expected) in cases {
            assert_eq!(moment(text, now), Ok(Timestamp(expected)), "{text}");
        }
        assert!(moment("1970-01-02 12:00", now).is_ok() && moment("yesterday", now).is_err());
    }

    #[test]
    fn steps_are_easy_to_think_in() {
        let cases = [
            (60, 80, 1),
            (3600, 80, 60),
            (86_400, 80, 1800),
            (864_000, 80, 86_400),
        ];
        for (range, columns, expected) in cases {
            let step = step(Duration::from_secs(range), columns);
            assert_eq!(step, Duration::from_secs(expected), "{range}");
        }
    }
}
