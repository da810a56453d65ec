//! Reads what may be restored.

use super::{Choice, Form, PACKED};
use crate::backup::drill::failure::Failure;
use crate::backup::drill::program::Limits;
use crate::backup::drill::{ahead, fetch, logical, physical};
use crate::backup::ended::{Evidence, ended};
use crate::backup::inspect::{self, Pace, Progress, Reading};
use crate::backup::shelf::{Shape, Shelf};
use crate::backup::{Ended, Kind, Proof, Settings as Source};
use crate::sample::Timestamp;

/// Something on a shelf that may be restored.
pub(super) struct Candidate<'c> {
    pub(super) name: &'c str,
    pub(super) shape: Shape,
    /// When it, or the newest of its files, was last written.
    pub(super) modified: Timestamp,
    pub(super) bytes: u64,
}

/// Reads a candidate; the words say why it is not to be restored.
pub(super) fn judge(
    source: &Source,
    shelf: &dyn Shelf,
    candidate: &Candidate,
    limits: &Limits,
) -> Result<Result<Choice, String>, Failure> {
    let Candidate {
        name,
        shape,
        modified,
        bytes,
    } = *candidate;
    let reading = Reading {
        pace: &Pace::unlimited(limits.stop.clone()),
        progress: &Progress::default(),
        beside: None,
        is_compared: false,
    };
    let Some(verdict) = inspect::inspect(shelf, name, &reading) else {
        return Err(Failure::Stopped);
    };
    if let Some(problem) = &verdict.problem {
        return Ok(Err(problem.clone()));
    }
    if shape == Shape::Folder
        && let Some(form) = physical::Form::of(shelf, name)
    {
        let stored = fetch::bytes(shelf, name).unwrap_or(bytes);
        let times = if form == physical::Form::Tapes {
            PACKED
        } else {
            2
        };
        let archive = ahead::listed(source)?;
        let bytes = archive.as_ref().map(|archive| archive.held.segment_bytes);
        return Ok(Ok(Choice {
            id: name.into(),
            kind: Kind::Full,
            finished: modified,
            ended: ended(&Evidence::of(&verdict, modified, archive.as_ref())),
            form: Form::Base(form),
            need: bytes.and_then(|bytes| ahead::need(&verdict, bytes)),
            archive,
            room: stored.saturating_mul(times),
        }));
    }
    let form = logical::Form::of(&verdict).filter(|_| verdict.proof >= Proof::Whole);
    let Some(form) = form else {
        let remark = verdict
            .remark
            .unwrap_or_else(|| "is nothing that can be restored here".into());
        return Ok(Err(remark));
    };
    // The fetched dump, the database, its indexes and the WAL of restoring it.
    let room = verdict.uncompressed_bytes.saturating_mul(5) / 2;
    let form = Form::Dump(form, Box::new(verdict));
    Ok(Ok(Choice {
        id: name.into(),
        kind: Kind::Dump,
        finished: modified,
        ended: Ended {
            earliest: modified,
            latest: modified,
        },
        form,
        archive: None,
        need: None,
        room,
    }))
}
