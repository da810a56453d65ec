//! Which moment a backup is of. A dump says when it began in the local time of the machine that made it, without a zone:
//! what that may mean is judged here.

use std::time::Duration;

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
    /// The moment its age is counted from: when it was finished, unless it is a dump that says itself that it began so
    /// long before that no time zone explains it (an old dump copied or uploaded again).
    pub fn moment(&self) -> Timestamp {
        match self.started {
            Some(started) if self.kind == Kind::Dump && is_long_before(started, self.finished) => {
                started
            }
            _ => self.finished,
        }
    }

    /// The newest moment that it holds by itself: of a dump when it began, else when it was finished.
    pub fn recovery_point(&self) -> Timestamp {
        match (self.kind, self.took) {
            (Kind::Dump, Some(took)) => self.finished.before(took),
            (Kind::Dump, None) => began(self.started, self.finished),
            _ => self.finished,
        }
    }
}

/// When a dump began that says so in a zone that it does not name: of the moments that the zones of the world make of
/// it, the last before it was finished. Where none explains it, the earlier of its own word and its end.
pub(super) fn began(said: Option<Timestamp>, finished: Timestamp) -> Timestamp {
    let Some(said) = said else { return finished };
    if is_long_before(said, finished) {
        return said;
    }
    let whole_hours = (FARTHEST_WEST..=FARTHEST_EAST).map(|hours| hours * 60);
    let zones = whole_hours.chain(ODD_ZONES);
    let moments = zones.map(|minutes| Timestamp(said.0 - minutes * MINUTE));
    let before = moments.filter(|moment| *moment <= finished);
    before.max().unwrap_or(finished)
}

fn is_long_before(said: Timestamp, finished: Timestamp) -> bool {
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
}
