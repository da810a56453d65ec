//! Why replay ended where it did: what PostgreSQL asked for and was given of WAL, and how far it says it got, held against
//! what the archive had shown before. Takes these; hands on failures.

use super::failure::Failure;
use super::wal::Asked;
use super::way_out;
use crate::backup::Ended;
use crate::backup::archive::{Archive, Need};
use crate::backup::moment::Said;
use crate::backup::wal::{Segment, Way};
use crate::sample::Timestamp;

/// The end of WAL on the way from a backup, as its archive was listed before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shown {
    /// The timeline of the backup.
    begun: u32,
    last: Segment,
    segment_bytes: u64,
}

/// How replay ended.
#[derive(Debug)]
pub(super) struct Ending<'e> {
    pub(super) asked: &'e Asked,
    /// Nothing where the archive cannot be listed.
    pub(super) shown: Option<Shown>,
    /// When the backup had ended.
    pub(super) ended: Ended,
    pub(super) target: Option<Timestamp>,
    /// The log of the server.
    pub(super) said: &'e str,
}

/// What PostgreSQL ends with that has no more WAL.
const ENDED: &str = "recovery ended before configured recovery target was reached";
/// What it says where it stops at a moment that was asked for.
const STOPPED: &str = "recovery stopping ";
/// What it says of how far it got.
const REACHED: &str = "last completed transaction was at log time ";

impl Shown {
    /// What an archive shows; nothing when not even the first segment is there that the backup needs.
    pub(super) fn of(archive: &Archive, need: &Need) -> Option<Shown> {
        let begin = need.begin();
        Some(Shown {
            begun: begin.timeline,
            last: Way::of(&archive.held, begin).last?,
            segment_bytes: archive.held.segment_bytes,
        })
    }
}

impl Ending<'_> {
    /// What was wrong with the archive of a server that runs now, unless it stopped where it was asked to: what it read
    /// ahead of that is of no matter.
    pub(super) fn trouble(&self) -> Option<Failure> {
        if self.target.is_some() && self.said.contains(STOPPED) {
            return None;
        }
        self.found()
    }

    fn found(&self) -> Option<Failure> {
        let unreadable = || self.asked.trouble.clone();
        unreadable()
            .or_else(|| self.gap())
            .or_else(|| self.stopped())
    }

    /// Why a server ended: what was reached, and what would have come next, when it came to the end of WAL before the
    /// moment that was asked for. Any other failure is left as it is.
    pub(super) fn explain(&self, failure: Failure) -> Failure {
        let is_end = match &failure {
            Failure::Bad(words) if words.starts_with("the server ended") => words.contains(ENDED),
            _ => return failure,
        };
        if !is_end {
            return self.asked.trouble.clone().unwrap_or(failure);
        }
        self.found()
            .unwrap_or_else(|| match next(&self.asked.missing) {
                Some(next) => {
                    Failure::Impossible(way_out::beyond(&next, self.target, self.offer()))
                }
                None => failure,
            })
    }

    fn offer(&self) -> Option<Timestamp> {
        way_out::replayed(reached(self.said)?, self.ended)
    }

    fn gap(&self) -> Option<Failure> {
        let gap = gap(&self.asked.missing, &self.asked.listed)?;
        Some(self.missing(&gap))
    }

    fn missing(&self, name: &str) -> Failure {
        Failure::Bad(way_out::gap(name, "is missing", self.target, self.offer()))
    }

    /// Whether it ended before the last segment that was shown.
    fn stopped(&self) -> Option<Failure> {
        let shown = self.shown?;
        let segment = |name: &str| Segment::parse(name, shown.segment_bytes);
        let last = self.asked.last.as_deref().and_then(segment)?;
        // It goes the way to the newest timeline that it finds, which need not be the one that was looked at.
        let went = self.asked.timeline.max(shown.begun);
        if went != shown.last.timeline || last.number >= shown.last.number {
            return None;
        }
        let is_next = |name: &&String| segment(name).is_some_and(|s| s.number == last.number + 1);
        let mut lacked = self.asked.missing.iter().filter(is_next);
        Some(match lacked.next() {
            Some(name) => self.missing(name),
            None => {
                let name = last.name(shown.segment_bytes);
                Failure::Bad(way_out::damaged(&name, self.target, self.offer()))
            }
        })
    }
}

/// When the last transaction ended that was replayed, as the log of the server says.
fn reached(said: &str) -> Option<Timestamp> {
    let (_, text) = said.rsplit_once(REACHED)?;
    // A time as `+00` after it, without a space.
    let (time, _) = text.split_once('+')?;
    Said::parse(time).map(Said::at)
}

/// The segment farthest on that was asked for in vain.
fn next(missing: &[String]) -> Option<String> {
    let segments = missing.iter().filter(|name| name.len() == 24);
    // The same segment is asked for on each timeline, the newest first.
    let farthest = segments.max_by_key(|name| farness(name));
    farthest.cloned()
}

/// What the names of segments are ordered by.
pub(super) fn farness(name: &str) -> (&str, &str) {
    (
        name.get(8..).unwrap_or_default(),
        name.get(..8).unwrap_or_default(),
    )
}

/// A segment that was asked for and is not there while a later one of its timeline is.
fn gap(missing: &[String], listed: &[String]) -> Option<String> {
    let is_segment = |name: &&String| name.len() == 24;
    let has_later = |name: &&String| {
        listed
            .iter()
            .any(|other| other.len() == 24 && other[..8] == name[..8] && other > *name)
    };
    let mut gaps = missing.iter().filter(is_segment).filter(has_later);
    gaps.next().cloned()
}

#[cfg(test)]
mod tests;
