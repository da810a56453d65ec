//! Prometheus' durations (R9): integers with the units `y w d h m s ms`, largest first, each at most once; a bare `0`.

use std::time::Duration;

const UNITS: [(&str, u64); 7] = [
    ("y", 365 * 24 * 3_600_000),
    ("w", 7 * 24 * 3_600_000),
    ("d", 24 * 3_600_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// The longest that Prometheus can count, about 292 years; in milliseconds.
const LONGEST: u64 = i64::MAX as u64 / 1_000_000;

/// Reads `1h30m`, `15s`, `1d` or `0`.
///
/// # Errors
/// What is wrong, in words for a person.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || {
        format!(
            "`{text}` is no duration; write a number and a unit, such as `15s`, `5m`, `1d` or `1h30m`"
        )
    };
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let (mut rest, mut next_unit, mut total) = (text, 0, 0u64);
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let number: u64 = rest[..digits].parse().map_err(|_| wrong())?;
        let letters = rest[digits..]
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(rest.len() - digits);
        let unit = &rest[digits..digits + letters];
        let place = UNITS
            .iter()
            .position(|(name, _)| *name == unit)
            .ok_or_else(wrong)?;
        if place < next_unit {
            return Err(wrong());
        }
        next_unit = place + 1;
        total = number
            .checked_mul(UNITS[place].1)
            .and_then(|part| total.checked_add(part))
            .filter(|total| *total <= LONGEST)
            .ok_or_else(wrong)?;
        rest = &rest[digits + letters..];
    }
    if next_unit == 0 {
        Err(wrong())
    } else {
        Ok(Duration::from_millis(total))
    }
}

/// Writes a duration as Prometheus does, such as `1h30m`; years and weeks only where they are the whole.
pub fn format_duration(duration: Duration) -> String {
    let mut rest = duration.as_millis() as u64;
    if rest == 0 {
        return "0s".into();
    }
    let mut text = String::new();
    for (unit, size) in UNITS {
        let exact_only = matches!(unit, "y" | "w");
        let count = rest / size;
        if count > 0 && (!exact_only || rest.is_multiple_of(size)) {
            text.push_str(&format!("{count}{unit}"));
            rest -= count * size;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_go_both_ways() {
        for text in ["15s", "1h30m", "1d", "2w", "1y", "1m30s500ms", "250ms"] {
            assert_eq!(format_duration(parse_duration(text).unwrap()), text);
        }
        assert_eq!(parse_duration("0").unwrap(), Duration::ZERO);
    }

    #[test]
    fn what_prometheus_refuses_is_refused() {
        for text in [
            "",
            "5",
            "1.5h",
            "m",
            "1m1h",
            "1s1s",
            "-5m",
            "5 m",
            "300y",
            "99999999999y",
        ] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }
}
