//! Reads what may be restored.

use super::{Choice, Form, plain};
use crate::backup::drill::failure::Failure;
use crate::backup::drill::program::Limits;
use crate::backup::drill::{ahead, fetch, logical, physical, room};
use crate::backup::ended::{Evidence, ended};
use crate::backup::inspect::{self, Pace, Progress, Reading};
use crate::backup::needs;
use crate::backup::shelf::{Shape, Shelf};
use crate::backup::{Ended, Kind, Proof, Settings as Source, Verdict};
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
            room: room::of_base(form, stored),
        }));
    }
    let form = logical::Form::of(&verdict).filter(|_| verdict.proof >= Proof::Whole);
    let Some(form) = form else {
        let remark = verdict
            .remark
            .unwrap_or_else(|| "is nothing that can be restored here".into());
        return Ok(Err(remark));
    };
    if let Some(words) = broken_promise(source, &verdict) {
        return Ok(Err(words));
    }
    Ok(Ok(Choice {
        id: name.into(),
        kind: Kind::Dump,
        finished: modified,
        ended: Ended {
            earliest: modified,
            latest: modified,
        },
        room: room::of_dump(&verdict),
        form: Form::Dump(form, Box::new(verdict)),
        archive: None,
        need: None,
    }))
}

/// A dump of another database, or without rows that were promised, is not what was promised, whatever restores from it.
fn broken_promise(source: &Source, verdict: &Verdict) -> Option<String> {
    let missing = needs::missing_rows(&source.expect_rows, &verdict.tables);
    missing.or_else(|| {
        let (promised, found) = (source.database.as_ref()?, verdict.database.as_ref()?);
        (promised != found).then(|| {
            format!(
                "is of the database `{}`, and `database` promises `{promised}`",
                plain(found)
            )
        })
    })
}
