//! How old is the newest moment that an archive of WAL up to some position holds? A pure state machine: takes readings
//! of a server (position, fingerprint of its snapshot), hands on what would be lost.
//!
//! While the fingerprint stays, no transaction that may have written has ended. So of readings with one fingerprint only
//! the first and the last count: a run. All that had ended when a run began lies before the position of its first
//! reading; what ended after a run lies behind the position of its last.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::sample::Timestamp;

/// More runs than this are thinned. At a reading every 15 s they reach back a day on a server that always writes.
const MOST_RUNS: usize = 4096;

/// What was read of a server at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reading {
    /// A moment not after the snapshot was taken.
    pub(super) at: Timestamp,
    /// A moment not before it was.
    pub(super) seen: Timestamp,
    /// The position behind all that had ended in the snapshot.
    pub(super) position: u64,
    /// Changes whenever a transaction that may have written has ended.
    pub(super) fingerprint: u64,
}

/// What would be lost with the server.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Exposure {
    /// All that had ended by this moment is safe; `None` when nothing is known of any.
    pub(super) safe_until: Option<Timestamp>,
    /// Something that had ended by this moment is not safe; `None` when nothing is known to be in danger.
    pub(super) lost_since: Option<Timestamp>,
    /// WAL that is not safe.
    pub(super) bytes: u64,
    /// Whether `safe_until` is known to within one reading; else more may be safe.
    pub(super) is_exact: bool,
}

/// The readings, as far as they matter.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Clock {
    runs: VecDeque<Run>,
}

/// Readings one after the other with the same fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Run {
    fingerprint: u64,
    /// When the first of them had been taken by, and from when the last of them is.
    first: Timestamp,
    last: Timestamp,
    /// Positions of the first and the last of them.
    begin: u64,
    end: u64,
}

impl Clock {
    /// Takes the next reading.
    pub(super) fn note(&mut self, reading: Reading) {
        if self
            .runs
            .back()
            .is_some_and(|run| reading.position < run.end)
        {
            self.go_back(reading.position);
        }
        match self.runs.back_mut() {
            Some(run) if run.fingerprint == reading.fingerprint => {
                run.last = run.last.max(reading.at);
                run.end = reading.position;
            }
            _ => self.runs.push_back(Run {
                fingerprint: reading.fingerprint,
                first: reading.seen,
                last: reading.at,
                begin: reading.position,
                end: reading.position,
            }),
        }
        if self.runs.len() > MOST_RUNS {
            self.thin();
        }
    }

    /// The server was restored to, or replaced by one that had only got to, an earlier position: what lay behind it is
    /// another history.
    fn go_back(&mut self, position: u64) {
        self.runs.retain(|run| run.begin <= position);
        if let Some(run) = self.runs.back_mut() {
            run.end = run.end.min(position);
        }
    }

    /// Leaves out the run of the older half that is missed least. What is left is true, only coarser.
    fn thin(&mut self) {
        let gap = |place: &usize| {
            let next = self.runs.get(place + 1).map(|run| run.last);
            next.map(|next| next.since(self.runs[place - 1].last))
        };
        if let Some(place) = (1..MOST_RUNS / 2).min_by_key(gap) {
            self.runs.remove(place);
        }
    }

    /// Forgets what nobody asks about who asks about positions from this one on.
    pub(super) fn forget_before(&mut self, archived: u64) {
        let covered = self.covered(archived).unwrap_or(0);
        self.runs.drain(..covered);
    }

    /// Moves all moments.
    pub(super) fn shift(&mut self, millis: i64) {
        for run in &mut self.runs {
            run.first.0 += millis;
            run.last.0 += millis;
        }
    }

    /// The last of the newest readings, when there was any.
    pub(super) fn newest(&self) -> Option<(Timestamp, u64)> {
        self.runs.back().map(|run| (run.last, run.end))
    }

    /// What would be lost if only WAL before `archived` were left. `written` is when WAL was written up to there, where
    /// the server still knows, and serves until a reading is covered. Whether the newest reading still holds, or the
    /// server may have written since, `is_current` says.
    pub(super) fn exposure(
        &self,
        archived: u64,
        written: Option<Timestamp>,
        now: Timestamp,
        is_current: bool,
    ) -> Option<Exposure> {
        let newest = self.runs.back()?;
        let covered = self.covered(archived);
        let run = covered.and_then(|place| self.runs.get(place));
        let is_all_safe = run == Some(newest);
        let safe_until = match run {
            Some(_) if is_all_safe && is_current => Some(now),
            Some(run) => Some(run.last),
            None => written,
        };
        // Between a reading before the position and the next behind it, a transaction may have ended on either side.
        let is_known = |run: &Run| is_all_safe || run.end >= archived;
        Some(Exposure {
            safe_until,
            lost_since: self.lost_since(covered.unwrap_or(0), archived),
            bytes: newest.end.saturating_sub(archived),
            is_exact: is_current && run.is_some_and(is_known),
        })
    }

    /// The newest run all of whose ended transactions lie before a position.
    fn covered(&self, archived: u64) -> Option<usize> {
        self.runs
            .partition_point(|run| run.begin <= archived)
            .checked_sub(1)
    }

    /// When the first transaction had been seen to end that must lie behind a position.
    fn lost_since(&self, from: usize, archived: u64) -> Option<Timestamp> {
        let mut pairs = self.runs.range(from..).zip(self.runs.range(from + 1..));
        let (_, after) = pairs.find(|(run, _)| run.end >= archived)?;
        Some(after.first)
    }
}

#[cfg(test)]
mod tests;
