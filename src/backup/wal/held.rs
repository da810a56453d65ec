//! The segments of an archive by timeline and number: a few runs, however many files there are.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::{History, Segment, USUAL_SEGMENT_BYTES, Wal, WalFile, WalName};
use crate::sample::Timestamp;

/// Numbers that follow one another.
pub(super) type Run = RangeInclusive<u64>;

/// What an archive holds, made small.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::backup) struct Held {
    /// The size of a whole segment, in bytes.
    pub(in crate::backup) segment_bytes: u64,
    /// Whole segments, ascending, by timeline.
    pub(in crate::backup) runs: BTreeMap<u32, Vec<Run>>,
    /// Beginnings of segments in which a timeline ended.
    pub(in crate::backup) partials: Vec<Segment>,
    /// Uncompressed files that are not as long as a segment, and how long they are.
    pub(in crate::backup) short: BTreeMap<Segment, u64>,
    /// Where timelines began.
    pub(in crate::backup) histories: BTreeMap<u32, History>,
    /// How many whole segments there are.
    pub(in crate::backup) segments: u64,
    /// Stored size of all files, in bytes.
    pub(in crate::backup) stored_bytes: u64,
    /// When the newest of them came.
    pub(in crate::backup) last_arrival: Option<Timestamp>,
    /// When some of them came, ascending: of very many only each so many-th, and the last of each run.
    arrivals: Vec<(Segment, Timestamp)>,
}

/// Of more segments it is not kept when each of them came.
const MOST_ARRIVALS: usize = 4096;

/// Sizes initdb allows.
const SEGMENT_BYTES: RangeInclusive<u64> = 1 << 20..=1 << 30;

/// The size of a segment: as the server says, else as most uncompressed files are long, else the usual.
pub(in crate::backup) fn segment_bytes(asked: Option<u64>, files: &[WalFile]) -> u64 {
    let is_possible = |bytes: &u64| bytes.is_power_of_two() && SEGMENT_BYTES.contains(bytes);
    let mut sizes: BTreeMap<u64, usize> = BTreeMap::new();
    let whole = files
        .iter()
        .filter(|file| !file.is_packed && matches!(file.name, WalName::Segment(_)));
    for bytes in whole.map(|file| file.bytes).filter(is_possible) {
        *sizes.entry(bytes).or_default() += 1;
    }
    let usual = sizes.into_iter().max_by_key(|(_, count)| *count);
    asked
        .filter(is_possible)
        .or(usual.map(|(bytes, _)| bytes))
        .unwrap_or(USUAL_SEGMENT_BYTES)
}

impl Held {
    /// Sorts the files of an archive, whose segments are this long.
    pub(in crate::backup) fn of(wal: &Wal, segment_bytes: u64) -> Held {
        let mut held = Held {
            segment_bytes,
            runs: BTreeMap::new(),
            partials: Vec::new(),
            short: BTreeMap::new(),
            histories: BTreeMap::new(),
            segments: 0,
            stored_bytes: wal.files.iter().map(|file| file.bytes).sum(),
            last_arrival: None,
            arrivals: Vec::new(),
        };
        let mut whole = Vec::new();
        for file in &wal.files {
            match &file.name {
                WalName::Segment(name) => {
                    let Some(segment) = Segment::parse(name, segment_bytes) else {
                        continue;
                    };
                    if !file.is_packed && file.bytes != segment_bytes {
                        held.short.insert(segment, file.bytes);
                        continue;
                    }
                    whole.push((segment, file.modified));
                    held.last_arrival = held.last_arrival.max(Some(file.modified));
                }
                WalName::Partial(name) => held.partials.extend(Segment::parse(name, segment_bytes)),
                WalName::Label(..) | WalName::History(_) => {}
            }
        }
        let known = wal.histories.iter().copied();
        held.histories = known.map(|history| (history.timeline, history)).collect();
        held.take(whole);
        held
    }

    fn take(&mut self, mut whole: Vec<(Segment, Timestamp)>) {
        whole.sort_unstable();
        // What lies there twice came when the first did.
        whole.dedup_by_key(|(segment, _)| *segment);
        self.segments = whole.len() as u64;
        // The same segment can lie there short and whole, once compressed.
        self.short.retain(|short, _| {
            let there = whole.binary_search_by_key(short, |(segment, _)| *segment);
            there.is_err()
        });
        self.partials.sort_unstable();
        for (Segment { timeline, number }, _) in &whole {
            let (timeline, number) = (*timeline, *number);
            let runs = self.runs.entry(timeline).or_default();
            match runs.last_mut() {
                Some(run) if run.end() + 1 == number => *run = *run.start()..=number,
                _ => runs.push(number..=number),
            }
        }
        let every = whole.len().div_ceil(MOST_ARRIVALS);
        let is_last = |place: usize, segment: Segment| {
            let next = whole.get(place + 1).map(|(next, _)| *next);
            let number = segment.number + 1;
            next != Some(Segment { number, ..segment })
        };
        let kept = whole.iter().enumerate().filter(|(place, (segment, _))| {
            (place + 1).is_multiple_of(every) || is_last(*place, *segment)
        });
        self.arrivals = kept.map(|(_, arrival)| *arrival).collect();
    }

    /// When a segment had come at the latest: itself, or one after it on its timeline. Nothing when neither is there.
    pub(in crate::backup) fn arrived(&self, segment: Segment) -> Option<Timestamp> {
        let place = self.arrivals.partition_point(|(other, _)| *other < segment);
        let (other, at) = self.arrivals.get(place)?;
        (other.timeline == segment.timeline).then_some(*at)
    }

    /// When a segment before another of its timeline came, the nearest of which that is known.
    pub(in crate::backup) fn arrived_before(&self, segment: Segment) -> Option<Timestamp> {
        let place = self.arrivals.partition_point(|(other, _)| *other < segment);
        let (other, at) = self.arrivals.get(place.checked_sub(1)?)?;
        (other.timeline == segment.timeline).then_some(*at)
    }

    /// Whether the segment is there as a whole.
    pub(in crate::backup) fn has(&self, segment: Segment) -> bool {
        self.run(segment).is_some()
    }

    /// The run in which a segment lies.
    pub(super) fn run(&self, segment: Segment) -> Option<&Run> {
        let runs = self.runs.get(&segment.timeline)?;
        let place = runs.partition_point(|run| *run.end() < segment.number);
        runs.get(place).filter(|run| *run.start() <= segment.number)
    }

    /// The first whole segment of a timeline from one on.
    pub(super) fn from(&self, segment: Segment) -> Option<Segment> {
        let runs = self.runs.get(&segment.timeline)?;
        let place = runs.partition_point(|run| *run.end() < segment.number);
        let number = segment.number.max(*runs.get(place)?.start());
        Some(Segment { number, ..segment })
    }

    /// The first whole segment after one on its timeline.
    pub(super) fn after(&self, segment: Segment) -> Option<Segment> {
        let number = segment.number + 1;
        self.from(Segment { number, ..segment })
    }

    /// The newest segment of a timeline.
    pub(super) fn last(&self, timeline: u32) -> Option<u64> {
        self.runs.get(&timeline)?.last().map(|run| *run.end())
    }

    /// The newest segment of the newest timeline.
    pub(in crate::backup) fn newest(&self) -> Option<Segment> {
        let (timeline, runs) = self.runs.last_key_value()?;
        let number = *runs.last()?.end();
        Some(Segment {
            timeline: *timeline,
            number,
        })
    }

    /// The first segment that is not there of those from one to another of the same timeline.
    pub(in crate::backup) fn lacks(&self, first: Segment, last: Segment) -> Option<Segment> {
        let mut number = first.number;
        while number <= last.number {
            let segment = Segment { number, ..first };
            match self.run(segment) {
                Some(run) => number = run.end() + 1,
                None => return Some(segment),
            }
        }
        None
    }
}
