//! What an archive lacks, and how far one can go on in it from a backup. Pure functions of what it holds.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use super::held::Held;
use super::{History, Segment};
use crate::sample::Timestamp;

/// A WAL archive in a few numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Chain {
    /// The size of a segment, in bytes.
    pub segment_bytes: u64,
    /// How many whole segments there are.
    pub segments: u64,
    /// Stored size of all files of the archive, in bytes.
    pub stored_bytes: u64,
    /// Segments that are missing since the oldest backup, in two looks.
    pub missing: Vec<Gap>,
    /// Uncompressed segments that are too short, in two looks.
    pub short: Vec<Segment>,
    /// The newest segment of the newest timeline.
    pub newest: Option<Segment>,
    /// The position up to which WAL can be followed without a gap from the newest backup, or else from the oldest segment.
    pub unbroken_end: Option<u64>,
    /// When the newest segment came.
    pub last_arrival: Option<Timestamp>,
    /// Base backups that the archive knows of, the newest last.
    pub witnesses: Vec<super::Label>,
}

/// Segments of one timeline that are missing in a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The timeline.
    pub timeline: u32,
    /// The numbers.
    pub numbers: RangeInclusive<u64>,
}

impl Gap {
    /// How many segments it takes.
    pub fn segments(&self) -> u64 {
        self.numbers.end() - self.numbers.start() + 1
    }

    /// The first one missing.
    pub fn first(&self) -> Segment {
        Segment {
            timeline: self.timeline,
            number: *self.numbers.start(),
        }
    }
}

impl Chain {
    /// How many segments are missing.
    pub fn missing_segments(&self) -> u64 {
        self.missing.iter().map(Gap::segments).sum()
    }
}

/// Every gap from the first segment that is needed on; where nobody says which, from the oldest of each timeline.
pub(in crate::backup) fn gaps(held: &Held, needed: Option<Segment>) -> Vec<Gap> {
    let mut timelines: BTreeSet<u32> = held.runs.keys().copied().collect();
    timelines.extend(needed.map(|segment| segment.timeline));
    let mut gaps = Vec::new();
    for timeline in timelines {
        let Some(first) = first_needed(held, timeline, needed) else {
            continue;
        };
        if let Some(last) = last_needed(held, timeline) {
            gaps.extend(holes(held, timeline, first..=last));
        }
    }
    gaps
}

/// Where a timeline has to begin; nothing when it is older than all that is needed.
fn first_needed(held: &Held, timeline: u32, needed: Option<Segment>) -> Option<u64> {
    match needed {
        Some(segment) if timeline < segment.timeline => return None,
        Some(segment) if timeline == segment.timeline => return Some(segment.number),
        _ => {}
    }
    let oldest = *held.runs.get(&timeline)?.first()?.start();
    let history = held.histories.get(&timeline);
    let Some(switch) = history.map(|history| history.switch / held.segment_bytes) else {
        return Some(oldest);
    };
    // Without a backup, what was cleared away was not needed; but the beginning of a branch goes with its parent's end.
    let has_parent = history.is_some_and(|history| held.runs.contains_key(&history.parent));
    let is_bound = needed.is_some() || has_parent;
    Some(if is_bound { switch } else { oldest })
}

/// How far a timeline has to reach: to its newest segment, and to where another branched off from it.
fn last_needed(held: &Held, timeline: u32) -> Option<u64> {
    let children = held
        .histories
        .values()
        .filter(|history| history.parent == timeline && held.runs.contains_key(&history.timeline));
    // The segment of the switch itself lies in the child, whole, and here at most in part.
    let switch = children.filter_map(|child| (child.switch / held.segment_bytes).checked_sub(1));
    held.last(timeline).into_iter().chain(switch).max()
}

fn holes(held: &Held, timeline: u32, needed: RangeInclusive<u64>) -> Vec<Gap> {
    let (mut next, last) = (*needed.start(), *needed.end());
    let mut gaps = Vec::new();
    let gap = |numbers| Gap { timeline, numbers };
    for run in held.runs.get(&timeline).into_iter().flatten() {
        if next > last {
            return gaps;
        }
        if *run.start() > next {
            gaps.push(gap(next..=last.min(run.start() - 1)));
        }
        next = next.max(run.end() + 1);
    }
    if next <= last {
        gaps.push(gap(next..=last));
    }
    gaps
}

/// The position up to which WAL can be followed from the segment without a gap, through every switch of timeline on the
/// way to the newest; nothing when not even that segment is there.
pub(in crate::backup) fn reach(held: &Held, from: Segment) -> Option<u64> {
    let mut here = from;
    let mut reached = None;
    for history in lineage(held, from.timeline) {
        let switch = history.switch / held.segment_bytes;
        let before = Segment {
            number: switch,
            ..here
        };
        // A backup taken after the branch, on what others have left behind.
        if switch < here.number && here.timeline == from.timeline {
            break;
        }
        // The parent's last segment may be there in part, or be only in the child, which begins with a copy of it.
        let is_reached = switch <= here.number || {
            let last = Segment {
                number: switch - 1,
                ..here
            };
            held.lacks(here, last).is_none()
        };
        if !is_reached {
            return in_run(held, here).or(reached);
        }
        if held.has(before) || held.partials.binary_search(&before).is_ok() {
            reached = reached.max(Some(history.switch));
        } else if switch > here.number {
            reached = reached.max(Some(switch * held.segment_bytes));
        }
        here = Segment {
            timeline: history.timeline,
            number: switch,
        };
    }
    in_run(held, here).max(reached)
}

fn in_run(held: &Held, segment: Segment) -> Option<u64> {
    let run = held.run(segment)?;
    Some((run.end() + 1) * held.segment_bytes)
}

/// The switches on the way from a timeline to the newest that comes from it, in order.
pub(super) fn lineage(held: &Held, from: u32) -> Vec<History> {
    let newest = held.runs.keys().rev();
    let paths = newest.map(|timeline| {
        let (mut path, mut timeline) = (Vec::new(), *timeline);
        while timeline != from {
            // A timeline is newer than the one it came from; anything else is no history.
            let history = held.histories.get(&timeline);
            let history = history.filter(|history| history.parent < timeline)?;
            path.push(*history);
            timeline = history.parent;
        }
        path.reverse();
        Some(path)
    });
    paths.flatten().next().unwrap_or_default()
}

/// What is missing both now and at the look before: a look can race the archiver.
pub(in crate::backup) fn in_both(before: &[Gap], now: &[Gap]) -> Vec<Gap> {
    let mut both = Vec::new();
    for gap in now {
        let same = before.iter().filter(|other| other.timeline == gap.timeline);
        both.extend(same.filter_map(|other| {
            let start = *gap.numbers.start().max(other.numbers.start());
            let end = *gap.numbers.end().min(other.numbers.end());
            (start <= end).then_some(Gap {
                timeline: gap.timeline,
                numbers: start..=end,
            })
        }));
    }
    both
}

#[cfg(test)]
mod tests;
