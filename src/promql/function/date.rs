//! Parts of dates in UTC, for any number of seconds: beyond what calendars of libraries hold, Go goes on counting, and
//! Prometheus with it.

/// A moment of the proleptic Gregorian calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Date {
    pub(super) year: i64,
    /// From 1 on.
    pub(super) month: i64,
    /// Of the month, from 1 on.
    pub(super) day: i64,
    /// From 0 for Sunday to 6.
    pub(super) weekday: i64,
    /// From 1 on.
    pub(super) day_of_year: i64,
    pub(super) days_in_month: i64,
    pub(super) hour: i64,
    pub(super) minute: i64,
}

const SECONDS_PER_DAY: i128 = 86_400;

/// The first second that Go's calendar knows; from there it counts in 64 bits without sign.
const FIRST: i128 = -9_223_372_028_715_321_600;

impl Date {
    /// The date so many seconds after the epoch.
    pub(super) fn of(seconds: f64) -> Date {
        let seconds = whole(seconds);
        let days = seconds.div_euclid(SECONDS_PER_DAY);
        let second = seconds.rem_euclid(SECONDS_PER_DAY);
        // Years begin in March here, so that the leap day is the last of its year; eras are of 400 years.
        let since_march = days + 719_468;
        let era = since_march.div_euclid(146_097);
        let of_era = since_march.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let months = (5 * of_year + 2) / 153;
        let month = if months < 10 { months + 3 } else { months - 9 };
        let year = year_of_era + era * 400 + i128::from(month <= 2);
        let first = first_of_month(year, month);
        let small = |value: i128| i64::try_from(value).unwrap_or(i64::MAX);
        Date {
            year: small(year),
            month: small(month),
            day: small(days - first + 1),
            weekday: small((days + 4).rem_euclid(7)),
            day_of_year: small(days - first_of_month(year, 1) + 1),
            days_in_month: small(first_of_month(year, month + 1) - first),
            hour: small(second / 3600),
            minute: small(second % 3600 / 60),
        }
    }
}

/// The number without its fraction. What has no place in 64 bits is the least number there, and what lies before the
/// calendar's beginning comes at its end.
fn whole(seconds: f64) -> i128 {
    let fits = seconds.abs() < 9_223_372_036_854_775_808.0;
    let whole = if fits { seconds as i64 } else { i64::MIN };
    let whole = i128::from(whole);
    match whole < FIRST {
        true => whole + (1 << 64),
        false => whole,
    }
}

/// Days from the epoch to the first of a month, which may be the thirteenth.
fn first_of_month(year: i128, month: i128) -> i128 {
    let (year, month) = if month > 12 {
        (year + 1, month - 12)
    } else {
        (year, month)
    };
    let year = if month <= 2 { year - 1 } else { year };
    let months = if month > 2 { month - 3 } else { month + 9 };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + (153 * months + 2) / 5 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Prometheus 3.5.3 says.
    #[test]
    fn dates_are_gos_also_where_they_make_no_sense() {
        let cases = [
            (0.0, [1970, 1, 1, 4, 1, 31, 0, 0]),
            (951_782_400.0, [2000, 2, 29, 2, 60, 29, 0, 0]),
            (1_735_689_599.0, [2024, 12, 31, 2, 366, 31, 23, 59]),
            (-1.5, [1969, 12, 31, 3, 365, 31, 23, 59]),
            (f64::NAN, [292_277_026_596, 12, 4, 0, 339, 31, 15, 30]),
            (1e300, [292_277_026_596, 12, 4, 0, 339, 31, 15, 30]),
            (1e18, [31_688_740_476, 10, 23, 5, 297, 31, 1, 46]),
            (-1e18, [-31_688_736_537, 3, 10, 2, 69, 31, 22, 13]),
        ];
        for (seconds, expected) in cases {
            let date = Date::of(seconds);
            let got = [
                date.year,
                date.month,
                date.day,
                date.weekday,
                date.day_of_year,
                date.days_in_month,
                date.hour,
                date.minute,
            ];
            assert_eq!(got, expected, "{seconds}");
        }
    }
}
