//! Which backup of a source is restored.

mod candidate;

use std::io;

use super::failure::Failure;
use super::program::Limits;
use super::run::Plan;
use super::way_out::when;
use super::{ahead, logical, physical, room, tool};
use crate::backup::archive::{Archive, Need, Shown, Texts};
use crate::backup::inspect;
use crate::backup::moment::began;
use crate::backup::settings::Place;
use crate::backup::shelf::{Shape, Shelf};
use crate::backup::source::Look;
use crate::backup::{Backup, Ended, Kind, Settings as Source, Sighting, State, Verdict};
use crate::sample::Timestamp;
use candidate::Candidate;

/// The backup that is restored.
#[derive(Debug)]
pub(super) struct Choice {
    /// Its name in the source.
    pub(super) id: String,
    pub(super) kind: Kind,
    /// When it was finished.
    pub(super) finished: Timestamp,
    /// When a base backup had ended.
    pub(super) ended: Ended,
    pub(super) form: Form,
    /// The WAL archive as it is listed; nothing where there is none, or only a program knows.
    pub(super) archive: Option<Archive>,
    /// The WAL that it needs, where that is known.
    pub(super) need: Option<Need>,
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

/// The named backup, else the newest that is whole and, where a moment is asked for, surely had ended by then; or else may
/// have.
pub(super) fn choose(
    plan: &Plan,
    target: Option<Timestamp>,
    limits: &Limits,
) -> Result<Choice, Failure> {
    let source = plan.source;
    let Some(shelf) = shelf(source) else {
        return of_tool(plan, target);
    };
    let shelf = shelf.as_ref();
    let judge = |candidate: &Candidate| candidate::judge(source, shelf, candidate, limits);
    if let Some(name) = plan.backup.as_deref() {
        if name.is_empty() || name.contains('/') || name == ".." {
            return Err(Failure::Impossible(format!(
                "`{name}` is no name of a backup of `{}`",
                source.name
            )));
        }
        let item = match shelf.stand(name) {
            Ok(item) => item,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(unknown(source, name, candidates(&look(source)?)));
            }
            Err(error) => return Err(Failure::Impossible(shelf.obstacle(&error).to_string())),
        };
        if target.is_some() && !is_base(shelf, name, item.shape) {
            return Err(one_moment(&format!("`{name}` is no base backup")));
        }
        // A folder's own time says nothing of the files in it.
        let modified = match item.shape {
            Shape::Folder => look(source).ok().and_then(|look| {
                let mut found = candidates(&look).into_iter();
                found.find(|backup| backup.id == name)
            }),
            _ => None,
        };
        let modified = modified.map(|backup| backup.finished);
        let candidate = Candidate {
            name,
            shape: item.shape,
            modified: modified.unwrap_or(item.modified),
            bytes: item.bytes,
        };
        return judge(&candidate)?.map_err(Failure::Bad);
    }
    let mut candidates = candidates(&look(source)?);
    candidates.sort_by_key(|backup| std::cmp::Reverse(backup.finished));
    let (mut why, mut maybe, mut oldest, mut has_dump) = (None, None, None, false);
    for backup in candidates {
        // A backup may be all of the place, which is a folder.
        let shape = match backup.id.as_str() {
            "." => Ok(Shape::Folder),
            name => shelf.stand(name).map(|item| item.shape),
        };
        let Ok(shape) = shape else { continue };
        if target.is_some() && !is_base(shelf, &backup.id, shape) {
            has_dump = true;
            continue;
        }
        let candidate = Candidate {
            name: &backup.id,
            shape,
            modified: backup.finished,
            bytes: backup.bytes,
        };
        match judge(&candidate)? {
            // What says nothing of itself cannot be recovered to a moment that is known to be consistent.
            Ok(choice)
                if matches!(choice.form, Form::Base(_))
                    && shelf
                        .stand(&inspect::within(&choice.id, "backup_manifest"))
                        .is_err() =>
            {
                let words = "is the data directory of a server that was shut down, without `backup_label` and `backup_manifest`: whether it is whole cannot be known, and no drill restores it";
                why = why.or(Some(format!("`{}` {words}", choice.id)));
            }
            Ok(choice) => match target {
                Some(target) if choice.ended.earliest > target => {
                    oldest = Some(
                        oldest
                            .unwrap_or(choice.ended.earliest)
                            .min(choice.ended.earliest),
                    );
                }
                Some(target) if choice.ended.likely() > target => maybe = maybe.or(Some(choice)),
                _ => return Ok(choice),
            },
            Err(words) => why = why.or(Some(format!("`{}` {words}", backup.id))),
        }
    }
    if let Some(choice) = maybe {
        return Ok(choice);
    }
    let name = &source.name;
    Err(match (oldest, why) {
        (None, Some(words)) => Failure::Impossible(format!(
            "no backup of `{name}` is whole and as promised: {words}"
        )),
        (None, None) if has_dump => one_moment(&format!("`{name}` has no base backup")),
        (oldest, _) => none(source, oldest, target),
    })
}

/// Whether something on a shelf looks like a base backup.
fn is_base(shelf: &dyn Shelf, name: &str, shape: Shape) -> bool {
    shape == Shape::Folder && physical::Form::of(shelf, name).is_some()
}

/// Why no moment can be asked for of what is no base backup.
fn one_moment(what: &str) -> Failure {
    Failure::Impossible(format!(
        "a moment is asked for and {what}: a dump holds the one moment at which it began, and WAL leads on from base backups alone; leave `--target`, or `target` of the drill, out, or drill a source of base backups"
    ))
}

/// Why there is nothing to choose from, where the oldest backup that is whole ended only then.
fn none(source: &Source, oldest: Option<Timestamp>, target: Option<Timestamp>) -> Failure {
    let name = &source.name;
    Failure::Impossible(match oldest.zip(target) {
        Some((oldest, target)) => format!(
            "no backup of `{name}` had ended by {}, which is asked for: the oldest ended at {}; ask for a later moment",
            when(target),
            // Rounded up, lest it look like the moment that it comes after.
            when(Timestamp(oldest.0 + 999))
        ),
        None => format!("`{name}` has no finished backup"),
    })
}

fn look(source: &Source) -> Result<Look, Failure> {
    let look = source.place.look(&Texts::default());
    look.map_err(|obstacle| Failure::Impossible(obstacle.to_string()))
}

/// What could be restored, as a look at the source showed it.
pub(super) fn candidates(look: &Look) -> Vec<Backup> {
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

fn of_tool(plan: &Plan, target: Option<Timestamp>) -> Result<Choice, Failure> {
    let source = plan.source;
    let words = tool::words(&source.place, plan.settings);
    words.check()?;
    let mut look = look(source)?;
    let told = match &mut look {
        Look::Sighting(Sighting { wal, .. }) => wal.take(),
        Look::Listing(_) => None,
    };
    // What a program brings lies where that program knows.
    let is_known = plan.settings.fetch_wal.is_empty();
    let archive = if words.fetch_wal.is_empty() {
        ahead::listed(source)?
    } else {
        let told = told.filter(|_| is_known);
        told.map(|wal| Archive::of(Shown::told(wal), None))
    };
    let candidates = candidates(&look);
    let is_meant = |backup: &&Backup| match &plan.backup {
        Some(name) => backup.id == *name,
        None => target.is_none_or(|target| backup.finished <= target),
    };
    let meant = candidates.iter().filter(is_meant);
    let Some(backup) = meant.max_by_key(|backup| backup.finished).cloned() else {
        let oldest = candidates.iter().map(|backup| backup.finished).min();
        return Err(match &plan.backup {
            Some(name) => unknown(source, name, candidates),
            None => none(source, oldest, target),
        });
    };
    let need = backup.wal.map(|(first, last)| Need {
        first,
        last,
        end: None,
        is_inside: false,
    });
    Ok(Choice {
        id: backup.id,
        kind: backup.kind,
        finished: backup.finished,
        ended: Ended {
            earliest: backup.finished,
            latest: backup.finished,
        },
        form: Form::Tool,
        archive,
        need,
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

impl Choice {
    /// The newest moment that the data of the backup itself can be of.
    pub(super) fn recovery_point(&self) -> Timestamp {
        match &self.form {
            Form::Dump(_, verdict) => began(verdict.made, self.finished),
            Form::Base(_) | Form::Tool => self.ended.earliest,
        }
    }
}
