//! When somebody may be told: one span of the day, on some days of the week, in a time zone. Pure.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;

use crate::document::Section;
use crate::sample::Timestamp;

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

const MIDNIGHT: i32 = 24 * 60;

/// A weekly window. It is open from a time of the day, on each of its days, until another that is no longer in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// Monday first: the days on which it opens.
    days: [bool; 7],
    /// Minutes after midnight.
    from: i32,
    /// Minutes after the midnight before it opens; past [`MIDNIGHT`] for a window that closes on the next day.
    to: i32,
    zone: TimeZone,
}

impl Window {
    /// Reads the section.
    pub(super) fn read(s: &mut Section) -> Self {
        let doc =
            "The days on which it opens, such as `mon-fri` or `sat`; every day when not written.";
        let mut days = [false; 7];
        let texts = s.texts("days", doc);
        for text in &texts {
            match span(text) {
                Some(span) => span.into_iter().for_each(|day| days[day] = true),
                None => {
                    let hint = "write one such as `mon-fri` or `sat`";
                    s.problem("days", format!("`{text}` is no day"), Some(hint));
                }
            }
        }
        if texts.is_empty() {
            days = [true; 7];
        }
        let doc = "From this time of the day on.";
        let from = s.parsed("from", "time of day", "00:00", doc, |text| match text {
            "24:00" => Err("`24:00` is the end of a day; write `00:00`".into()),
            text => time_of_day(text),
        });
        let doc = "Until this time, which is no longer in it; one that is not later than `from` is on the next day.";
        let to = s.parsed("to", "time of day", "24:00", doc, time_of_day);
        let doc = "The time zone, such as `Europe/Berlin`.";
        let zone = s.parsed("zone", "time zone", "UTC", doc, |name| {
            TimeZone::get(name).map_err(|_| format!("there is no time zone `{name}`"))
        });
        let (from, to) = (from.unwrap_or_default(), to.unwrap_or(MIDNIGHT));
        if from == to {
            s.problem(
                "to",
                "is `from` again, so that it would never be open",
                None,
            );
        }
        Window {
            days,
            from,
            to: if to <= from { to + MIDNIGHT } else { to },
            zone: zone.unwrap_or(TimeZone::UTC),
        }
    }

    /// The first moment not before `at` at which it is open.
    pub(super) fn opens(&self, at: Timestamp) -> Timestamp {
        // Somewhere past the year 9999 there are no dates; then it is better to tell than not to.
        self.next(at).unwrap_or(at)
    }

    fn next(&self, at: Timestamp) -> Option<Timestamp> {
        let moment = jiff::Timestamp::from_millisecond(at.0).ok()?;
        let mut date = moment
            .to_zoned_datetime(self.zone.clone())
            .date()
            .yesterday()
            .ok()?;
        // That of yesterday may still be open, and where it opens on one day only that may be today, but over already.
        for _ in 0..9 {
            if self.opens_on(date.weekday()) && at < self.moment(date, self.to)? {
                return Some(self.moment(date, self.from)?.max(at));
            }
            date = date.tomorrow().ok()?;
        }
        None
    }

    fn opens_on(&self, day: Weekday) -> bool {
        self.days[day.to_monday_zero_offset() as usize]
    }

    /// When the clocks show so many minutes. A time that they skip counts as if they did not; of one that they show
    /// twice the first counts.
    fn moment(&self, date: Date, minutes: i32) -> Option<Timestamp> {
        let date = if minutes < MIDNIGHT {
            date
        } else {
            date.tomorrow().ok()?
        };
        let minutes = minutes % MIDNIGHT;
        let clocks = date.at((minutes / 60) as i8, (minutes % 60) as i8, 0, 0);
        let moment = clocks.to_zoned_datetime(self.zone.clone()).ok()?;
        Some(Timestamp(moment.timestamp().as_millisecond()))
    }
}

/// `mon-fri`, `sat`, also over the end of the week.
fn span(text: &str) -> Option<Vec<usize>> {
    let day = |name: &str| {
        let name = name.trim().to_ascii_lowercase();
        DAYS.iter().position(|day| *day == name)
    };
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (day(first)?, day(last)?);
    let length = (last + 7 - first) % 7;
    Some((first..=first + length).map(|day| day % 7).collect())
}

fn time_of_day(text: &str) -> Result<i32, String> {
    let wrong = || format!("`{text}` is no time of day; write one such as `08:00`");
    let (hours, minutes) = text.split_once(':').ok_or_else(wrong)?;
    let two = |text: &str, most: i32| {
        let digits =
            (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        let number: i32 = text.parse().ok().filter(|_| digits)?;
        (number <= most).then_some(number)
    };
    let (hours, minutes) = two(hours, 24).zip(two(minutes, 59)).ok_or_else(wrong)?;
    let time = hours * 60 + minutes;
    (time <= MIDNIGHT).then_some(time).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Problem, Reader, parse};

    fn read(yaml: &str) -> Result<Window, String> {
        let reader = Reader::new(None);
        let window = reader.read(&parse("x.yml", yaml).unwrap(), Window::read);
        let problems: Vec<String> = reader.problems().iter().map(Problem::to_string).collect();
        (problems.is_empty())
            .then_some(window)
            .ok_or(problems.join("\n"))
    }

    fn moment(text: &str) -> Timestamp {
        let moment: jiff::Timestamp = text.parse().unwrap();
        Timestamp(moment.as_millisecond())
    }

    #[test]
    fn a_window_opens_when_the_clocks_say_so() {
        let office = "{days: mon-fri, from: '08:00', to: '18:00', zone: Europe/Berlin}";
        let night = "{days: [fri], from: '22:00', to: '06:00', zone: Europe/Berlin}";
        let skipped = "{from: '02:10', to: '02:50', zone: Europe/Berlin}";
        let cases = [
            // Wednesday in winter (+01:00) and in summer (+02:00).
            (office, "2026-01-14T06:59:59.999Z", "2026-01-14T07:00:00Z"),
            (office, "2026-01-14T07:00:00Z", "2026-01-14T07:00:00Z"),
            (office, "2026-07-15T06:00:00Z", "2026-07-15T06:00:00Z"),
            (
                office,
                "2026-07-15T15:59:59.999Z",
                "2026-07-15T15:59:59.999Z",
            ),
            // Its end is no longer in it.
            (office, "2026-07-15T16:00:00Z", "2026-07-16T06:00:00Z"),
            // From Friday to the Monday after the clocks were changed, forward and back.
            (office, "2026-03-27T17:00:00Z", "2026-03-30T06:00:00Z"),
            (office, "2026-10-23T16:00:00Z", "2026-10-26T07:00:00Z"),
            // Over midnight: the day is that on which it opens.
            (night, "2026-01-16T20:59:00Z", "2026-01-16T21:00:00Z"),
            (night, "2026-01-17T04:59:59Z", "2026-01-17T04:59:59Z"),
            (night, "2026-01-17T05:00:00Z", "2026-01-23T21:00:00Z"),
            // Nine hours in the night in which the clocks are put back, seven when they are put forward.
            (
                "{from: '22:00', to: '06:00', zone: Europe/Berlin}",
                "2026-10-25T04:59:59Z",
                "2026-10-25T04:59:59Z",
            ),
            (
                "{from: '22:00', to: '06:00', zone: Europe/Berlin}",
                "2026-03-29T04:00:00Z",
                "2026-03-29T20:00:00Z",
            ),
            // In the hour that is skipped, and in that which comes twice.
            (skipped, "2026-03-29T00:30:00Z", "2026-03-29T01:10:00Z"),
            (skipped, "2026-10-25T00:00:00Z", "2026-10-25T00:10:00Z"),
            (skipped, "2026-10-25T00:50:00Z", "2026-10-26T01:10:00Z"),
            // Over the end of the week, and every day from now on.
            (
                "{days: sat-mon}",
                "2026-01-13T00:00:00Z",
                "2026-01-17T00:00:00Z",
            ),
            (
                "{days: sat-mon}",
                "2026-01-19T23:59:59Z",
                "2026-01-19T23:59:59Z",
            ),
            (
                "{from: '10:00'}",
                "2026-01-19T23:59:59Z",
                "2026-01-19T23:59:59Z",
            ),
            (
                "{to: '10:00'}",
                "2026-01-19T23:59:59Z",
                "2026-01-20T00:00:00Z",
            ),
            // A country that skipped a whole Friday.
            (
                "{days: [fri], zone: Pacific/Apia}",
                "2011-12-29T12:00:00Z",
                "2011-12-30T10:00:00Z",
            ),
        ];
        for (window, at, expected) in cases {
            let opens = read(window).unwrap().opens(moment(at));
            assert_eq!(opens.rfc3339(), moment(expected).rfc3339(), "{window} {at}");
        }
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        let cases = [
            (
                "{zone: Europe/Berln}",
                "x.yml:1:8: zone: there is no time zone `Europe/Berln`",
            ),
            (
                "{from: '8'}",
                "from: `8` is no time of day; write one such as `08:00`",
            ),
            ("{from: '24:00'}", "from: `24:00` is the end of a day"),
            ("{to: '24:01'}", "to: `24:01` is no time of day"),
            ("{to: '+1:00'}", "to: `+1:00` is no time of day"),
            ("{days: [mon, someday]}", "days: `someday` is no day"),
            ("{from: '08:00', to: '08:00'}", "to: is `from` again"),
            ("{form: '08:00'}", "form: unknown key"),
        ];
        for (yaml, expected) in cases {
            let said = read(yaml).unwrap_err();
            assert!(said.contains(expected), "{said}");
        }
    }
}
