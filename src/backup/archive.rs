//! The WAL archive of a source: what a place lists of it, and what that means for its backups.

mod shown;

pub(super) use shown::{Shown, Texts, is_part, is_wal};

use super::wal::{self, Chain, Held, Label, Segment};

/// A WAL archive as it stood at a look.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Archive {
    pub(super) held: Held,
    pub(super) labels: Vec<Label>,
}

/// The WAL that a backup needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Need {
    pub(super) first: Segment,
    pub(super) last: Segment,
    /// The position after the last byte needed, where that is known.
    pub(super) end: Option<u64>,
    /// Whether the backup has it inside.
    pub(super) is_inside: bool,
}

impl Need {
    /// The first segment that an archive has to have.
    pub(super) fn begin(&self) -> Segment {
        if self.is_inside {
            self.last
        } else {
            self.first
        }
    }
}

impl Archive {
    /// Makes small what was shown. `asked` is what the server says of the size of its segments.
    pub(super) fn of(shown: Shown, asked: Option<u64>) -> Archive {
        let bytes = wal::segment_bytes(asked, &shown.wal.files);
        Archive {
            held: Held::of(&shown.wal, bytes),
            labels: shown.labels,
        }
    }

    /// The archive in a few numbers, for the backups that need it. What is missing or short counts once it was so at
    /// the look before, too.
    pub(super) fn chain(&self, before: Option<&Archive>, needs: &[Need]) -> Chain {
        let oldest = needs.iter().map(Need::begin).min();
        let newest = needs.iter().max_by_key(|need| need.begin());
        let first = self.held.runs.iter().next();
        let from = newest.map(Need::begin).or_else(|| {
            let (timeline, runs) = first?;
            Some(Segment {
                timeline: *timeline,
                number: *runs.first()?.start(),
            })
        });
        let missing = before.map(|before| {
            wal::in_both(
                &wal::gaps(&before.held, oldest),
                &wal::gaps(&self.held, oldest),
            )
        });
        let was_short = |segment: &&Segment| {
            before.is_some_and(|before| before.held.short.contains_key(segment))
        };
        let inside = newest
            .filter(|need| need.is_inside)
            .and_then(|need| need.end);
        Chain {
            segment_bytes: self.held.segment_bytes,
            segments: self.held.segments,
            stored_bytes: self.held.stored_bytes,
            missing: missing.unwrap_or_default(),
            short: self.held.short.keys().filter(was_short).copied().collect(),
            newest: self.held.newest(),
            unbroken_end: from
                .and_then(|from| wal::reach(&self.held, from))
                .max(inside),
            last_arrival: self.held.last_arrival,
            witnesses: self.labels.clone(),
        }
    }

    /// The first segment that a backup needs and that was not there at two looks.
    pub(super) fn lacks(&self, before: Option<&Archive>, need: &Need) -> Option<Segment> {
        let lacked = self.held.lacks(need.first, need.last);
        let was_lacked =
            before.is_some_and(|before| before.held.lacks(need.first, need.last).is_some());
        lacked.filter(|_| was_lacked)
    }

    /// What the archive knows of the base backup that began at this position.
    pub(super) fn witness(&self, timeline: u32, start: u64) -> Option<&Label> {
        let mut labels = self.labels.iter();
        labels.find(|label| (label.timeline, label.start) == (timeline, start))
    }
}

/// How long a backup took, as its label in the archive says.
pub(super) fn took(label: &Label) -> Option<std::time::Duration> {
    let (started, finished) = (label.started?.at(), label.finished?.at());
    (finished >= started).then(|| finished.since(started))
}

#[cfg(test)]
mod tests;
