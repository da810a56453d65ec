//! Which moment a backup is of. A dump says when it began in the local time of the machine that made it, without a zone;
//! a base backup names a zone that may mean anything: what that may be is judged here.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Backup, Kind};
use crate::sample::Timestamp;

/// How far from UTC a local time may lie, and an hour more.
const ANY_ZONE: Duration = Duration::from_secs(15 * 3600);
/// How far local times lie from UTC beside whole hours, in minutes. Those of a few islands are left out: they would only
/// blur the dumps of their neighbours.
const ODD_ZONES: [i64; 9] = [-210, -150, 210, 270, 330, 345, 390, 570, 630];
const FARTHEST_WEST: i64 = -12;
const FARTHEST_EAST: i64 = 14;
const MINUTE: i64 = 60_000;

impl Backup {
    /// The moment its age is counted from: when it was finished, unless it says itself that it was so long before that
    /// no time zone explains it (an old one copied or uploaded again).
    pub fn moment(&self) -> Timestamp {
        match (self.kind, self.started, self.ended) {
            (Kind::Dump, Some(said), _) => likely(said, self.finished),
            (Kind::Dump, None, _) | (_, _, None) => self.finished,
            (_, _, Some(ended)) => ended.likely(),
        }
    }

    /// The newest moment that it holds by itself: of a dump when it began, else when it was finished; where that is not
    /// known exactly, the earliest that it may have been.
    pub fn recovery_point(&self) -> Timestamp {
        match (self.kind, self.took, self.ended) {
            (Kind::Dump, Some(took), _) => self.finished.before(took),
            (Kind::Dump, None, _) => began(self.started, self.finished),
            (_, _, Some(ended)) => ended.earliest,
            (_, _, None) => self.finished,
        }
    }

    /// The oldest moment that it can be restored to with WAL that leads on from it: until it had ended it is nothing.
    pub fn opens(&self) -> Timestamp {
        match self.kind {
            Kind::Dump => self.recovery_point(),
            _ => self.moment(),
        }
    }
}

/// When something was finished that says when it was, and was last written later: when that was, unless it says that it
/// was so long before that no time zone explains it.
pub(super) fn likely(said: Timestamp, written: Timestamp) -> Timestamp {
    if is_long_before(said, written) {
        said
    } else {
        written
    }
}

/// A moment as PostgreSQL writes it into a label, such as `2026-11-23 08:08:15 CET`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// The date and time, read as UTC.
    local: Timestamp,
    /// How far its zone lies east of UTC, in minutes. The same abbreviation means several zones, and one may be given any
    /// name: only those of UTC and those that are numbers, such as `+0530`, are understood.
    offset: Option<i64>,
}

impl Said {
    /// Reads it; `None` when it is no date and time.
    pub(super) fn parse(text: &str) -> Option<Said> {
        let mut words = text.split_whitespace();
        let civil = format!("{}T{}", words.next()?, words.next()?);
        let civil: jiff::civil::DateTime = civil.parse().ok()?;
        let moment = jiff::tz::TimeZone::UTC.to_timestamp(civil).ok()?;
        Some(Said {
            local: Timestamp(moment.as_millisecond()),
            offset: words.next().and_then(offset),
        })
    }

    /// The moment; read as UTC where the zone is not understood, up to 14 hours off.
    pub fn at(self) -> Timestamp {
        Timestamp(self.local.0 - self.offset.unwrap_or(0) * MINUTE)
    }

    /// Whether its zone is understood.
    pub(super) fn is_exact(self) -> bool {
        self.offset.is_some()
    }

    /// The moments it may be.
    pub(super) fn moments(self) -> Vec<Timestamp> {
        match self.offset {
            Some(_) => vec![self.at()],
            None => moments(self.local).collect(),
        }
    }
}

/// How far a zone lies east of UTC, in minutes.
fn offset(zone: &str) -> Option<i64> {
    if ["UTC", "GMT", "UCT", "Z"].contains(&zone) {
        return Some(0);
    }
    let (sign, digits) = zone.split_at_checked(1)?;
    let sign = match sign {
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    let is_short = digits.len() == 2;
    let number: i64 = digits.parse::<u16>().ok()?.into();
    let (hours, minutes) = if is_short {
        (number, 0)
    } else {
        (number / 100, number % 100)
    };
    let is_zone = (is_short || digits.len() == 4) && hours <= FARTHEST_EAST && minutes < 60;
    is_zone.then_some(sign * (hours * 60 + minutes))
}

/// What the zones of the world make of a date and time, read as UTC.
fn moments(local: Timestamp) -> impl Iterator<Item = Timestamp> {
    let whole_hours = (FARTHEST_WEST..=FARTHEST_EAST).map(|hours| hours * 60);
    let zones = whole_hours.chain(ODD_ZONES);
    zones.map(move |minutes| Timestamp(local.0 - minutes * MINUTE))
}

/// When a dump began that says so in a zone that it does not name: of the moments that the zones of the world make of
/// it, the last before it was finished. Where none explains it, the earlier of its own word and its end.
pub(super) fn began(said: Option<Timestamp>, finished: Timestamp) -> Timestamp {
    let Some(said) = said else { return finished };
    if is_long_before(said, finished) {
        return said;
    }
    let before = moments(said).filter(|moment| *moment <= finished);
    before.max().unwrap_or(finished)
}

/// Whether it lies so long before that no time zone explains it.
pub(super) fn is_long_before(said: Timestamp, finished: Timestamp) -> bool {
    said < finished.before(ANY_ZONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FINISHED: Timestamp = Timestamp(100_000 * MINUTE);

    fn dump(said: Option<i64>, took: Option<u64>) -> Backup {
        Backup {
            started: said.map(|minutes| Timestamp(FINISHED.0 + minutes * MINUTE)),
            took: took.map(|minutes| Duration::from_secs(minutes * 60)),
            ..Backup::listed("x", Kind::Dump, FINISHED)
        }
    }

    #[test]
    fn a_header_counts_once_no_zone_explains_it() {
        let hour = 60;
        let cases = [
            (None, 0),
            (Some(-14), 0),
            (Some(-15), 0),
            (Some(-16), -16),
            (Some(20), 0),
        ];
        for (said, moment) in cases {
            let backup = dump(said.map(|hours| hours * hour), None);
            let expected = Timestamp(FINISHED.0 + moment * hour * MINUTE);
            assert_eq!(backup.moment(), expected, "{said:?}");
            let (kind, finished) = (Kind::Full, backup.finished);
            let physical = Backup { kind, ..backup };
            assert_eq!(
                [physical.moment(), physical.recovery_point()],
                [finished; 2],
                "it just took long"
            );
        }
    }

    #[test]
    fn a_dump_holds_the_moment_it_began() {
        let cases = [
            // UTC, and it took a while.
            ((Some(-5), None), -5),
            ((Some(-40), None), -40),
            // Tokyo, New York, Kolkata, Kathmandu.
            ((Some(9 * 60 - 20), None), -20),
            ((Some(-5 * 60 - 20), None), -20),
            ((Some(330 - 20), None), -20),
            ((Some(345 - 10), None), -10),
            // What its tool knows is better.
            ((Some(9 * 60 - 20), Some(7)), -7),
            ((None, None), 0),
            // An old dump that was copied, and a clock that is wrong.
            ((Some(-16 * 60), None), -16 * 60),
            ((Some(16 * 60), None), 0),
        ];
        for ((said, took), began) in cases {
            let point = dump(said, took).recovery_point();
            assert_eq!((point.0 - FINISHED.0) / MINUTE, began, "{said:?} {took:?}");
        }
    }

    #[test]
    fn a_label_is_read_in_the_zone_it_names_where_that_is_understood() {
        let at = |text: &str| Said::parse(text).map(|said| (said.at().0 / MINUTE, said.offset));
        let noon = Said::parse("2026-11-23 12:00:00 UTC").unwrap().at().0 / MINUTE;
        let cases = [
            ("GMT", 0, Some(0)),
            ("UCT", 0, Some(0)),
            ("+0530", -330, Some(330)),
            ("-03", 180, Some(-180)),
            ("+1245", -765, Some(765)),
            // Central European time, or whatever somebody calls so.
            ("CET", 0, None),
            ("IST", 0, None),
            ("+3", 0, None),
            ("+9900", 0, None),
            ("-é", 0, None),
            ("", 0, None),
        ];
        for (zone, minutes, offset) in cases {
            let text = format!("2026-11-23 12:00:00 {zone}");
            assert_eq!(at(&text), Some((noon + minutes, offset)), "{text}");
        }
        for text in [
            "",
            "2026-11-23",
            "yesterday at noon",
            "2026-13-23 12:00:00 UTC",
        ] {
            assert_eq!(at(text), None, "{text}");
        }
        let of = |zone: &str| Said::parse(&format!("2026-11-23 12:00:00 {zone}")).unwrap();
        assert_eq!(of("+01").moments(), [Timestamp((noon - 60) * MINUTE)]);
        assert!(of("CET").moments().contains(&of("+01").at()));
    }
}
