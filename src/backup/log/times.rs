//! When a line of a log was written, by its own account.

use std::sync::LazyLock;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use regex::Regex;

use crate::sample::Timestamp;

static TIME: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let pattern = r"(?x) ^ .{0,40}? \b
        (\d{4}-\d{2}-\d{2}) [T\x20_]+ (\d{2}:\d{2}:\d{2}) (?:[.,]\d{1,9})?
        \s? (Z|UTC|GMT|[+-]\d{2}:?\d{2})? ";
    Regex::new(pattern).ok()
});

/// The time near the beginning of a line; without an offset it is of the zone.
pub(super) fn of(line: &str, zone: &TimeZone) -> Option<Timestamp> {
    let found = TIME.as_ref()?.captures(line)?;
    let local: DateTime = format!("{}T{}", &found[1], &found[2]).parse().ok()?;
    let zone = match found.get(3).map(|offset| offset.as_str()) {
        None => zone.clone(),
        Some("Z" | "UTC" | "GMT") => TimeZone::UTC,
        Some(offset) => TimeZone::fixed(parse(offset)?),
    };
    let moment = zone.to_timestamp(local).ok()?;
    Some(Timestamp(moment.as_millisecond()))
}

/// `+02:00` or `+0200`.
fn parse(offset: &str) -> Option<jiff::tz::Offset> {
    let (sign, digits) = offset.split_at_checked(1)?;
    let digits = digits.replace(':', "");
    let (hours, minutes) = digits.split_at_checked(2)?;
    let seconds = hours.parse::<i32>().ok()? * 3600 + minutes.parse::<i32>().ok()? * 60;
    jiff::tz::Offset::from_seconds(if sign == "-" { -seconds } else { seconds }).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_when_it_was_written() {
        let noon = "2026-11-29T11:00:00.000Z";
        let cases = [
            ("[2026-11-29 12:00:00] ERROR: x", noon),
            ("2026-11-29 12:00:00,123 [77] barman.server ERROR: x", noon),
            ("2026-11-29 11:00:00.123 UTC [77] FATAL:  x", noon),
            ("2026-11-29T11:00:00Z x", noon),
            ("2026-11-29T13:00:00+0200 x", noon),
            ("backup.sh: 2026-11-29 08:30:00-02:30 x", noon),
            ("2026-11-29 12:00:00.123 P00  ERROR: [050]: x", noon),
            ("2026-13-29 12:00:00 x", ""),
            ("pg_dump: error: x", ""),
            (
                "INSERT INTO t VALUES (1, 'a long text before it', '2026-11-29 12:00:00')",
                "",
            ),
        ];
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        for (line, at) in cases {
            let found = of(line, &zone).map(Timestamp::rfc3339).unwrap_or_default();
            assert_eq!(found, at, "{line}");
        }
    }
}
