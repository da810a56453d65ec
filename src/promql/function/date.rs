//! Parts of dates in UTC.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// A part of the moment that is `seconds` after the epoch; `NaN` where there is no such moment.
pub(super) fn part(seconds: f64, part: fn(&DateTime) -> f64) -> f64 {
    if !seconds.is_finite() {
        return f64::NAN;
    }
    match jiff::Timestamp::from_second(seconds as i64) {
        Ok(moment) => part(&TimeZone::UTC.to_datetime(moment)),
        Err(_) => f64::NAN,
    }
}

/// From 0 for Sunday to 6.
pub(super) fn day_of_week(date: &DateTime) -> f64 {
    f64::from(date.weekday().to_sunday_zero_offset())
}
