//! What a server says of its archive, kept over readings, resets of its statistics and restarts of pgvigil.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::clock::{Clock, Exposure, Reading};
use crate::sample::Timestamp;

/// So many changes of what is archived are remembered, for looks at repositories that began before the newest.
const MOST_PAST: usize = 1024;
/// A server that was not read for so many of its intervals may have written: a reading is dated up to a quarter of one
/// early, and the next is seen up to a quarter late.
const CURRENT_FOR: f64 = 1.5;

/// One server's account. Moments are those of a clock that never steps.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Archive {
    system_identifier: Option<u64>,
    clock: Clock,
    /// The position up to which WAL is archived, and when it was written up to there.
    archived: Option<(u64, Option<Timestamp>)>,
    /// When it was known to have got to which position, the oldest first.
    past: VecDeque<(Timestamp, u64)>,
    /// How often it is read.
    #[serde(skip)]
    interval: Duration,
    /// The server is no primary now, or archives nothing.
    #[serde(skip)]
    is_idle: bool,
    /// The last try to read it failed.
    #[serde(skip)]
    is_silent: bool,
}

impl Archive {
    /// A known identifier that is another one means another cluster: what was known is of no use.
    pub(super) fn identify(&mut self, identifier: Option<u64>) {
        if identifier.is_some() && self.system_identifier != identifier {
            if self.system_identifier.is_some() {
                *self = Archive::default();
            }
            self.system_identifier = identifier;
        }
    }

    /// Takes a reading of the position; `None` from a server that is no primary.
    pub(super) fn position(&mut self, reading: Option<Reading>, interval: Duration) {
        self.interval = interval;
        if let Some(reading) = reading {
            self.clock.note(reading);
        }
    }

    /// Takes whether the last try to read the server failed, whatever was read before; says whether that is news.
    pub(super) fn hear(&mut self, is_silent: bool) -> bool {
        std::mem::replace(&mut self.is_silent, is_silent) != is_silent
    }

    /// Takes a reading of what is archived, with the age of WAL at that position; `None` from a server that archives
    /// nothing.
    pub(super) fn archived(&mut self, at: Timestamp, read: Option<(u64, Option<Duration>)>) {
        self.is_idle = read.is_none();
        let Some((position, age)) = read else {
            return;
        };
        let before = self.archived.filter(|(before, _)| *before == position);
        let written = age.map(|age| at.before(age));
        self.archived = Some((
            position,
            before.and_then(|(_, written)| written).or(written),
        ));
        if self.past.back().map(|(_, before)| *before) != Some(position) {
            self.past.push_back((at, position));
        }
        if self.past.len() > MOST_PAST {
            self.past.pop_front();
        }
    }

    /// Up to which position it archives, when it does.
    pub(super) fn end(&self) -> Option<u64> {
        let (position, _) = self.archived?;
        (!self.is_idle).then_some(position)
    }

    /// The oldest position that is remembered to have been archived.
    pub(super) fn begun(&self) -> Option<u64> {
        self.past.front().map(|(_, position)| *position)
    }

    /// The position that was known to be archived at a moment.
    pub(super) fn end_at(&self, moment: Timestamp) -> Option<u64> {
        let mut past = self.past.iter().rev();
        let (_, position) = past.find(|(at, _)| *at <= moment)?;
        Some(*position)
    }

    /// What would be lost with the server, by its own account.
    pub(super) fn exposure(&self, now: Timestamp) -> Option<Exposure> {
        let end = self.end()?;
        let (_, written) = self.archived?;
        self.clock.exposure(end, written, now, self.is_current(now))
    }

    /// What would be lost if only WAL before another position were left.
    pub(super) fn exposure_from(
        &self,
        end: u64,
        written: Option<Timestamp>,
        now: Timestamp,
    ) -> Option<Exposure> {
        self.clock.exposure(end, written, now, self.is_current(now))
    }

    fn is_current(&self, now: Timestamp) -> bool {
        let read = self.clock.newest().map(|(last, _)| last);
        let is_recent = |last| now.since(last) <= self.interval.mul_f64(CURRENT_FOR);
        !self.is_silent && read.is_some_and(is_recent)
    }

    /// Forgets what nobody asks for who asks from this position on.
    pub(super) fn forget_before(&mut self, position: u64) {
        self.clock.forget_before(position);
    }

    /// Moves all moments.
    pub(super) fn shift(&mut self, millis: i64) {
        self.clock.shift(millis);
        self.past.iter_mut().for_each(|(at, _)| at.0 += millis);
        if let Some((_, Some(written))) = &mut self.archived {
            written.0 += millis;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn at(second: i64) -> Timestamp {
        Timestamp(second * 1000)
    }

    fn read(archive: &mut Archive, second: i64, position: u64, fingerprint: u64) {
        let reading = Reading {
            at: at(second),
            seen: at(second),
            position,
            fingerprint,
        };
        archive.position(Some(reading), SECOND);
    }

    fn age(archive: &Archive, second: i64) -> Option<(f64, bool)> {
        let exposure = archive.exposure(at(second))?;
        let safe = exposure.safe_until?;
        Some((at(second).since(safe).as_secs_f64(), exposure.is_exact))
    }

    /// Covered at 1, exposed since 2.
    fn exposed() -> Archive {
        let mut archive = Archive::default();
        archive.identify(Some(7));
        read(&mut archive, 1, 100, 1);
        archive.archived(at(1), Some((100, None)));
        read(&mut archive, 2, 150, 2);
        archive
    }

    #[test]
    fn what_is_exposed_grows_while_the_server_does_not_answer() {
        let mut archive = exposed();
        assert_eq!(age(&archive, 2), Some((1.0, true)));
        assert_eq!(age(&archive, 20), Some((19.0, false)));
        // It was idle all the time, so far as is known once it is back.
        archive.archived(at(30), Some((200, None)));
        read(&mut archive, 30, 200, 2);
        assert_eq!(age(&archive, 30), Some((0.0, true)));
        // Nobody knows of what it did after the last reading.
        assert_eq!(age(&archive, 50), Some((20.0, false)));
    }

    #[test]
    fn what_was_read_holds_no_longer_than_until_the_next_try_fails() {
        let mut archive = exposed();
        archive.archived(at(2), Some((200, None)));
        assert_eq!(age(&archive, 3), Some((0.0, true)));
        assert_eq!(age(&archive, 4), Some((2.0, false)), "it is late");
        assert!(archive.hear(true) && !archive.hear(true));
        assert_eq!(age(&archive, 3), Some((1.0, false)));
        assert!(archive.hear(false));
        assert_eq!(age(&archive, 3), Some((0.0, true)));
    }

    #[test]
    fn statistics_that_are_reset_say_no_less() {
        // The statement then answers with the segment that is being written, so far as nothing waits.
        let mut archive = exposed();
        archive.archived(at(3), Some((200, None)));
        assert_eq!(archive.end(), Some(200));
        assert_eq!(archive.end_at(at(2)), Some(100));
        assert_eq!(archive.end_at(at(0)), None);
    }

    #[test]
    fn an_upper_bound_stands_where_no_reading_is_covered() {
        let mut archive = Archive::default();
        read(&mut archive, 100, 150, 1);
        archive.archived(at(100), Some((100, None)));
        assert_eq!(age(&archive, 100), None);
        archive.archived(at(101), Some((100, Some(50 * SECOND))));
        assert_eq!(age(&archive, 101), Some((50.0, false)));
        // It is as old as it was, whatever the server's clock does.
        archive.archived(at(102), Some((100, Some(2 * SECOND))));
        assert_eq!(age(&archive, 102), Some((51.0, false)));
    }

    #[test]
    fn another_cluster_begins_anew_and_a_standby_says_nothing() {
        let mut archive = exposed();
        archive.identify(None);
        archive.identify(Some(7));
        assert!(archive.exposure(at(3)).is_some());
        archive.archived(at(3), None);
        assert_eq!((archive.exposure(at(3)), archive.end()), (None, None));
        archive.archived(at(4), Some((100, None)));
        assert!(archive.exposure(at(4)).is_some());
        archive.identify(Some(8));
        assert_eq!(archive.exposure(at(4)), None);
    }

    #[test]
    fn moments_move_together() {
        let (mut archive, moved) = (exposed(), 5000);
        let before = age(&archive, 2);
        archive.shift(moved);
        assert_eq!(age(&archive, 2 + moved / 1000), before);
        assert_eq!(archive.end_at(at(6)), Some(100));
    }
}
