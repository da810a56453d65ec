//! Which backup of a source is restored.

use std::io;

use super::failure::Failure;
use super::logical;
use super::physical;
use super::program::Limits;
use super::room;
use crate::backup::archive::Texts;
use crate::backup::inspect::{self, Pace, Progress, Reading};
use crate::backup::moment::began;
use crate::backup::needs;
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
        let item = match shelf.stand(name) {
            Ok(item) => item,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(unknown(source, name, candidates(source)?));
            }
            Err(error) => return Err(Failure::Impossible(shelf.obstacle(&error).to_string())),
        };
        let (shape, modified) = (item.shape, item.modified);
        let judged = judge(shelf, name, shape, modified, item.bytes, limits)?;
        return judged
            .and_then(|choice| as_promised(source, choice))
            .map_err(Failure::Bad);
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
        let judged = judge(
            shelf,
            &backup.id,
            shape,
            backup.finished,
            backup.bytes,
            limits,
        )?;
        match judged.and_then(|choice| as_promised(source, choice)) {
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
        Some(words) => format!(
            "no backup of `{}` is whole and as promised: {words}",
            source.name
        ),
        None => format!("`{}` has no finished backup", source.name),
    }))
}

/// What could be restored, as the source shows it now.
fn candidates(source: &Source) -> Result<Vec<Backup>, Failure> {
    let look = source.place.look(&Texts::default());
    let look = look.map_err(|obstacle| Failure::Impossible(obstacle.to_string()))?;
    Ok(candidates_of(&look))
}

/// What of a look could be restored.
pub(super) fn candidates_of(look: &Look) -> Vec<Backup> {
    match look {
        Look::Listing(listing) => listing
            .found
            .iter()
            .filter(|found| !found.is_partial)
            .map(|found| Backup {
                bytes: found.bytes,
                ..Backup::listed(&found.name, found.kind, found.modified)
            })
            .collect(),
        Look::Sighting(sighting) => sighting
            .backups
            .iter()
            .filter(|backup| matches!(backup.state, State::Done | State::Unread))
            .cloned()
            .collect(),
    }
}

fn of_tool(
    source: &Source,
    named: Option<&str>,
    reaches: impl Fn(Timestamp) -> bool,
) -> Result<Choice, Failure> {
    let candidates = candidates(source)?;
    let is_meant =
        |backup: &&Backup| named.map_or_else(|| reaches(backup.finished), |name| backup.id == name);
    let meant = candidates.iter().filter(is_meant);
    let Some(backup) = meant.max_by_key(|backup| backup.finished).cloned() else {
        return Err(match named {
            Some(name) => unknown(source, name, candidates),
            None => Failure::Impossible(format!("`{}` has no finished backup", source.name)),
        });
    };
    Ok(Choice {
        id: backup.id,
        kind: backup.kind,
        finished: backup.finished,
        form: Form::Tool,
        room: room::of_tool(backup.bytes),
    })
}

/// So many names are shown to whoever has named none of them.
const SHOWN: usize = 5;

/// A name that no backup has.
fn unknown(source: &Source, name: &str, mut candidates: Vec<Backup>) -> Failure {
    candidates.sort_by_key(|backup| std::cmp::Reverse(backup.finished));
    let newest = candidates.iter().take(SHOWN);
    let names: Vec<String> = newest
        .map(|backup| format!("`{}`", plain(&backup.id)))
        .collect();
    let title = &source.name;
    Failure::Impossible(match names.as_slice() {
        [] => format!("`{title}` has no finished backup `{name}`, nor any other"),
        names => format!(
            "`{title}` has no finished backup `{name}`; its newest are {}",
            names.join(", ")
        ),
    })
}

/// A name from a place of others, fit to be shown.
fn plain(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(120).collect()
}

/// A dump of another database, or without rows that were promised, is not what was promised, whatever restores from it.
fn as_promised(source: &Source, choice: Choice) -> Result<Choice, String> {
    if let Form::Dump(_, verdict) = &choice.form {
        if let Some(words) = needs::missing_rows(&source.expect_rows, &verdict.tables) {
            return Err(words);
        }
        if let (Some(promised), Some(found)) = (&source.database, &verdict.database)
            && promised != found
        {
            return Err(format!(
                "is of the database `{}`, and `database` promises `{promised}`",
                plain(found)
            ));
        }
    }
    Ok(choice)
}

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
        let room = room::of_base(form, stored);
        let form = Form::Base(form);
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
    let room = room::of_dump(&verdict);
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
