//! Whether a drill could run, as far as that shows before anything is restored. Each judgement is the drill's own.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use super::binaries::{self, Needed};
use super::choice::{self, candidates};
use super::failure::{Failure, refused};
use super::folder::{self, Owner};
use super::run::{owner, work_dir};
use super::settings::Settings;
use super::{logical, physical, room, tool};
use crate::backup::files::Found;
use crate::backup::inspect;
use crate::backup::settings::Place;
use crate::backup::shelf::Shelf;
use crate::backup::source::Look;
use crate::backup::verdicts::Verdicts;
use crate::backup::{Settings as Source, Verdict};

/// By what and where a drill would be run, in words, or all that stands in its way.
pub type Ready = Result<String, Vec<String>>;

/// What the newest backup needs, as far as that is known without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Outlook {
    needed: Needed,
    /// In bytes.
    room: Option<u64>,
}

/// Whether a drill could restore what a look has shown; `major` is that of the server it is of, where that is known.
pub(in crate::backup) fn ready(
    (source, look): (&Source, Option<&Look>),
    settings: &Settings,
    state_dir: &Path,
    major: Option<u32>,
) -> Ready {
    let outlook = outlook(source, look, state_dir, major);
    let work_dir = work_dir(settings, state_dir);
    let owner = owner(&settings.user);
    let installation = binaries::find(&settings.binaries, outlook.needed);
    let needed = outlook.room.unwrap_or_default();
    let named = settings.work_dir.is_some();
    let place = try_out(&work_dir, named, owner.clone().unwrap_or_default(), needed);
    let restores = match &source.place {
        Place::Tool(_) => tool::words(&source.place, settings).check(),
        Place::Files(_) => Ok(()),
    };
    let major = installation.as_ref().map(|found| found.major);
    let major = major.unwrap_or_default();
    let all = [
        owner.as_ref().err().cloned(),
        installation.err(),
        place.err(),
        restores.err(),
    ];
    let obstacles: Vec<String> = all.into_iter().flatten().filter_map(words).collect();
    if !obstacles.is_empty() {
        return Err(obstacles);
    }
    let user = match owner {
        Ok(Some(_)) => format!(", run by `{}`", settings.user),
        _ => String::new(),
    };
    let folder = work_dir.display();
    Ok(format!("PostgreSQL {major} in `{folder}`{user}"))
}

fn words(failure: Failure) -> Option<String> {
    match failure {
        Failure::Bad(words) | Failure::Impossible(words) => Some(words),
        Failure::Stopped => None,
    }
}

fn outlook(source: &Source, look: Option<&Look>, state_dir: &Path, major: Option<u32>) -> Outlook {
    let unknown = Outlook {
        needed: Needed::AtLeast(major.unwrap_or_default()),
        room: None,
    };
    // What is physical is of the very major of its server.
    let physical = Outlook {
        needed: major.map_or(unknown.needed, Needed::Exactly),
        room: None,
    };
    match (look, choice::shelf(source)) {
        (Some(Look::Listing(listing)), Some(shelf)) => {
            let finished = listing.found.iter().filter(|found| !found.is_partial);
            let Some(newest) = finished.max_by_key(|found| found.modified) else {
                return unknown;
            };
            if newest.kind.is_physical() {
                base(shelf.as_ref(), newest, physical)
            } else {
                dump(shelf.as_ref(), newest, source, state_dir, unknown)
            }
        }
        (Some(look), _) => {
            let all = candidates(look);
            let newest = all.iter().max_by_key(|backup| backup.finished);
            let room = newest.map(|backup| room::of_tool(backup.bytes));
            Outlook { room, ..physical }
        }
        (None, None) => physical,
        (None, Some(_)) => unknown,
    }
}

fn base(shelf: &dyn Shelf, found: &Found, usual: Outlook) -> Outlook {
    let Some(form) = physical::Form::of(shelf, &found.name) else {
        return usual;
    };
    let told = physical::told_major(shelf, &found.name);
    Outlook {
        needed: told.map_or(usual.needed, Needed::Exactly),
        room: Some(room::of_base(form, found.bytes)),
    }
}

/// Of a dump, what reading it showed is remembered; before that, its first bytes say by which pg_dump it is.
fn dump(
    shelf: &dyn Shelf,
    found: &Found,
    source: &Source,
    state_dir: &Path,
    usual: Outlook,
) -> Outlook {
    let asked = source.expect_rows.keys().cloned().collect();
    let verdicts = Verdicts::load(state_dir, &source.name, asked);
    let needed = |verdict: &Verdict| {
        let form = logical::Form::of(verdict);
        form.map_or(usual.needed, |form| {
            form.needed(shelf, &found.name, verdict)
        })
    };
    match verdicts.on(found).map(|known| &known.verdict) {
        Some(verdict) => Outlook {
            needed: needed(verdict),
            room: Some(room::of_dump(verdict)),
        },
        None => Outlook {
            needed: inspect::beginning(shelf, &found.name)
                .map_or(usual.needed, |verdict| needed(&verdict)),
            ..usual
        },
    }
}

/// Whether a work folder, or the folder in which it is to be made, could be used; to try is not to make it.
fn try_out(work_dir: &Path, is_named: bool, owner: Owner, needed: u64) -> Result<(), Failure> {
    let work_dir = folder::fitting(work_dir)?;
    let title = work_dir.display();
    let place = match is_named {
        true => folder::has_place(&work_dir),
        false => Ok(()),
    };
    let place = place.and_then(|()| folder::pass_through(&work_dir, owner));
    place.map_err(refused(format!("cannot use the work folder `{title}`")))?;
    let there = work_dir.ancestors().find(|folder| folder.exists());
    let there = there.unwrap_or(Path::new("/"));
    let write = || -> io::Result<()> {
        let trial = there.join(format!(".pgvigil-check-{}", std::process::id()));
        File::create_new(&trial)?;
        fs::remove_file(&trial)?;
        // A drill that another user has run may have left it.
        let lock = work_dir.join("lock");
        if lock.exists() {
            File::options().write(true).open(lock)?;
        }
        Ok(())
    };
    write().map_err(|error| folder::unwritable(&work_dir, &error))?;
    room::make_sure(there, needed)
}
