//! Which backup of a source is restored.

use super::failure::Failure;
use super::logical;
use super::physical;
use super::program::Limits;
use crate::backup::archive::Texts;
use crate::backup::files;
use crate::backup::inspect::{self, Pace, Progress, Reading};
use crate::backup::moment::began;
use crate::backup::settings::Place;
use crate::backup::shelf::{Shape, Shelf};
use crate::backup::source::Look;
use crate::backup::{Backup, Kind, Proof, Settings as Source, State, Verdict};
use crate::sample::Timestamp;

/// The backup that is restored.
#[derive(Debug)]
pub(super) struct Choice {
    /// Its name in the source.
    pub(super) id: String,
    pub(super) kind: Kind,
    /// When it was finished.
    pub(super) finished: Timestamp,
    pub(super) form: Form,
    /// What it may need on the disk while it is restored, in bytes.
    pub(super) room: u64,
}

/// How it is restored.
#[derive(Debug)]
pub(super) enum Form {
    /// A dump, and what reading it showed.
    Dump(logical::Form, Box<Verdict>),
    /// A base backup.
    Base(physical::Form),
    /// Whatever a tool makes of it.
    Tool,
}

/// What lies on a shelf, or nothing when a tool alone knows where the backups are.
pub(super) fn shelf(source: &Source) -> Option<Box<dyn Shelf>> {
    match &source.place {
        Place::Files(files) => Some(files.shelf()),
        Place::Tool(_) => None,
    }
}

/// The named backup, else the newest that is whole and, where WAL leads on from it, lies before the target.
pub(super) fn choose(
    source: &Source,
    named: Option<&str>,
    target: Option<Timestamp>,
    limits: &Limits,
) -> Result<Choice, Failure> {
    let reaches = |finished: Timestamp| target.is_none_or(|target| finished <= target);
    let Some(shelf) = shelf(source) else {
        return of_tool(source, named, reaches);
    };
    let shelf = shelf.as_ref();
    if let Some(name) = named {
        if name.is_empty() || name.contains('/') || name == ".." {
            return Err(Failure::Impossible(format!(
                "`{name}` is no name of a backup of `{}`",
                source.name
            )));
        }
        let item = shelf.stand(name).map_err(|error| {
            Failure::Impossible(format!(
                "`{name}` cannot be looked at in `{}`: {error}",
                shelf.title()
            ))
        })?;
        let (shape, modified) = (item.shape, item.modified);
        return judge(shelf, name, shape, modified, item.bytes, limits)?.map_err(Failure::Bad);
    }
    let mut candidates = candidates(source)?;
    candidates.sort_by_key(|backup| std::cmp::Reverse(backup.finished));
    let mut why = None;
    for backup in candidates {
        // A backup may be all of the place, which is a folder.
        let shape = match backup.id.as_str() {
            "." => Ok(Shape::Folder),
            name => shelf.stand(name).map(|item| item.shape),
        };
        let Ok(shape) = shape else { continue };
        match judge(
            shelf,
            &backup.id,
            shape,
            backup.finished,
            backup.bytes,
            limits,
        )? {
            // It is written last.
            Ok(choice)
                if matches!(choice.form, Form::Base(_))
                    && shelf
                        .stand(&inspect::within(&choice.id, "backup_manifest"))
                        .is_err() =>
            {
                let words =
                    "has no `backup_manifest`: it was interrupted, or is still being written";
                why = why.or(Some(format!("`{}` {words}", choice.id)));
            }
            Ok(choice) if choice.kind == Kind::Dump || reaches(choice.finished) => {
                return Ok(choice);
            }
            Ok(_) => {}
            Err(words) => why = why.or(Some(format!("`{}` {words}", backup.id))),
        }
    }
    Err(Failure::Impossible(match why {
        Some(words) => format!("no backup of `{}` is whole: {words}", source.name),
        None => format!("`{}` has no finished backup", source.name),
    }))
}

/// What could be restored, as the source shows it now.
fn candidates(source: &Source) -> Result<Vec<Backup>, Failure> {
    let look = source
        .place
        .look(&Texts::default())
        .map_err(|obstacle| Failure::Impossible(obstacle.to_string()))?;
    Ok(match look {
        Look::Listing(listing) => listing
            .found
            .into_iter()
            .filter(|found: &files::Found| !found.is_partial)
            .map(|found| Backup {
                bytes: found.bytes,
                ..Backup::listed(&found.name, found.kind, found.modified)
            })
            .collect(),
        Look::Sighting(sighting) => sighting
            .backups
            .into_iter()
            .filter(|backup| matches!(backup.state, State::Done | State::Unread))
            .collect(),
    })
}

fn of_tool(
    source: &Source,
    named: Option<&str>,
    reaches: impl Fn(Timestamp) -> bool,
) -> Result<Choice, Failure> {
    let mut candidates = candidates(source)?;
    candidates
        .retain(|backup| named.map_or_else(|| reaches(backup.finished), |name| backup.id == name));
    let Some(backup) = candidates.into_iter().max_by_key(|backup| backup.finished) else {
        return Err(Failure::Impossible(match named {
            Some(name) => format!("`{}` has no finished backup `{name}`", source.name),
            None => format!("`{}` has no finished backup", source.name),
        }));
    };
    Ok(Choice {
        id: backup.id,
        kind: backup.kind,
        finished: backup.finished,
        form: Form::Tool,
        room: backup.bytes.saturating_mul(PACKED),
    })
}

/// What is packed is at most so many times as large when it is not.
const PACKED: u64 = 6;

/// Reads a candidate; the words say why it is not to be restored.
fn judge(
    shelf: &dyn Shelf,
    name: &str,
    shape: Shape,
    finished: Timestamp,
    bytes: u64,
    limits: &Limits,
) -> Result<Result<Choice, String>, Failure> {
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
        let stored = super::fetch::bytes(shelf, name).unwrap_or(bytes);
        let times = if form == physical::Form::Tapes {
            PACKED
        } else {
            2
        };
        let form = Form::Base(form);
        let room = stored.saturating_mul(times);
        return Ok(Ok(Choice {
            id: name.into(),
            kind: Kind::Full,
            finished,
            form,
            room,
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
        finished,
        form,
        room,
    }))
}

impl Choice {
    /// The newest moment that the data of the backup itself can be of.
    pub(super) fn recovery_point(&self) -> Timestamp {
        match &self.form {
            Form::Dump(_, verdict) => began(verdict.made, self.finished),
            Form::Base(_) | Form::Tool => self.finished,
        }
    }
}
