//! Numbers and moments as a person reads them.

use std::time::Duration;

use crate::sample::Timestamp;

/// A span in its two largest units: `45 s`, `12 min`, `3 h 20 min`, `2 d 4 h`.
pub(crate) fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    let two = |large: u64, large_name: &str, small: u64, small_name: &str| match small {
        0 => format!("{large} {large_name}"),
        _ => format!("{large} {large_name} {small} {small_name}"),
    };
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..86_400 => two(seconds / 3_600, "h", seconds % 3_600 / 60, "min"),
        _ => two(seconds / 86_400, "d", seconds % 86_400 / 3_600, "h"),
    }
}

/// A span given in seconds; below ten seconds with one digit after the point.
pub(crate) fn seconds(value: f64) -> String {
    match Duration::try_from_secs_f64(value.max(0.0)) {
        Ok(short) if value < 10.0 && !short.is_zero() => format!("{value:.1} s"),
        Ok(long) => span(long),
        Err(_) => number(value),
    }
}

/// A size in bytes with three digits: `812 B`, `1.44 GiB`.
pub(crate) fn bytes(value: f64) -> String {
    const STEP: f64 = 1024.0;
    let names = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let (mut scaled, mut place) = (value, 0);
    while scaled.abs() >= 999.5 && place + 1 < names.len() {
        scaled /= STEP;
        place += 1;
    }
    let digits = if place == 0 {
        0
    } else {
        digits_after_point(scaled)
    };
    format!("{scaled:.digits$} {}", names[place])
}

/// A share of one in percent.
pub(crate) fn share(value: f64) -> String {
    let percent = value * 100.0;
    // 99.96 % must not read as 100 %.
    let shown = if percent < 100.0 {
        (percent * 10.0).floor() / 10.0
    } else {
        percent
    };
    if shown.fract() == 0.0 {
        format!("{shown:.0} %")
    } else {
        format!("{shown:.1} %")
    }
}

/// Any number with three digits where it has a fraction: `3`, `0.25`, `12.5`, `1,204`.
pub(crate) fn number(value: f64) -> String {
    if !value.is_finite() {
        return if value.is_nan() {
            "not a number".into()
        } else {
            "∞".into()
        };
    }
    if value.fract() != 0.0 && value.abs() < 100.0 {
        let digits = digits_after_point(value);
        let text = format!("{value:.digits$}");
        return text.trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    let digits = format!("{:.0}", value.abs());
    let mut text = String::from(if value < 0.0 { "-" } else { "" });
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A moment in UTC to the minute, with its date when it is not today's: `14:02`, `21 Nov 14:02`.
pub(crate) fn moment(at: Timestamp, now: Timestamp) -> String {
    let (at, now) = (utc(at), utc(now));
    let pattern = if at.date() == now.date() {
        "%H:%M"
    } else {
        "%-d %b %H:%M"
    };
    at.strftime(pattern).to_string()
}

/// A moment in UTC with date and seconds.
pub(crate) fn clock(at: Timestamp) -> String {
    utc(at).strftime("%-d %b %Y %H:%M:%S").to_string()
}

fn utc(moment: Timestamp) -> jiff::ZonedDateTime {
    let moment = jiff::Timestamp::from_millisecond(moment.0).unwrap_or_default();
    moment.to_zoned_datetime(jiff::tz::TimeZone::UTC)
}

fn digits_after_point(value: f64) -> usize {
    match value.abs() {
        large if large >= 99.95 => 0,
        middle if middle >= 9.995 => 1,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_two_units() {
        let cases = [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (3_599, "59 min"),
            (3_600, "1 h"),
            (12_000, "3 h 20 min"),
            (187_200, "2 d 4 h"),
        ];
        for (seconds, text) in cases {
            assert_eq!(span(Duration::from_secs(seconds)), text);
        }
        assert_eq!(super::seconds(0.25), "0.2 s");
        assert_eq!(super::seconds(0.0), "0 s");
        assert_eq!(super::seconds(f64::NAN), "0 s");
        assert_eq!(super::seconds(f64::INFINITY), "∞");
    }

    #[test]
    fn sizes_shares_and_numbers_have_three_digits() {
        let cases = [
            (0.0, "0 B"),
            (812.0, "812 B"),
            (1_546_188_226.0, "1.44 GiB"),
            (1_048_575.0, "1.00 MiB"),
        ];
        for (value, text) in cases {
            assert_eq!(bytes(value), text);
        }
        for (value, text) in [
            (0.9996, "99.9 %"),
            (1.0, "100 %"),
            (0.5, "50 %"),
            (0.0, "0 %"),
        ] {
            assert_eq!(share(value), text);
        }
        let cases = [
            (3.0, "3"),
            (0.25, "0.25"),
            (12.53, "12.5"),
            (1_204.4, "1,204"),
            (-1_234_567.0, "-1,234,567"),
        ];
        for (value, text) in cases {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn a_moment_has_its_date_when_it_is_another_day() {
        let now = Timestamp(1_795_438_800_000);
        assert_eq!(now.rfc3339(), "2026-11-23T13:00:00.000Z");
        assert_eq!(moment(now.before(Duration::from_secs(60)), now), "12:59");
        assert_eq!(
            moment(now.before(Duration::from_secs(86_400)), now),
            "22 Nov 13:00"
        );
    }
}
