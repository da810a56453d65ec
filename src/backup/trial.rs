//! Tries a source out once, for `pgvigil check`: its place, its WAL archive, its log, and a drill of it.

mod unread;

use std::path::Path;

use super::archive::Texts;
use super::drill::{self, Ready};
use super::settings::{Files, Place, Root, Way};
use super::source::Look;
use super::{Settings, files, log};

/// What came of it.
#[derive(Default)]
pub struct Trial {
    /// What stands in the way, in words.
    pub obstacles: Vec<String>,
    /// What may not be as it is meant, in words.
    pub doubts: Vec<String>,
    /// How many backups were seen.
    pub backups: usize,
    /// How many segments of WAL were.
    pub segments: usize,
    /// What stands in the way of whoever reads what was seen.
    unread: Vec<String>,
    look: Option<Look>,
}

/// Looks at a source, as its watch does. This blocks.
pub fn try_out(settings: &Settings) -> Trial {
    let mut trial = Trial {
        doubts: relative(settings),
        ..Trial::default()
    };
    match settings.place.look(&Texts::default()) {
        Ok(look) => trial.take(&settings.place, look),
        Err(obstacle) => trial.obstacles.push(obstacle.to_string()),
    }
    if let Some(apart) = &settings.wal {
        let (shelf, names) = (apart.shelf(), apart.names());
        match files::list_wal(shelf.as_ref(), &names, &Texts::default()) {
            Ok(shown) if shown.wal.files.is_empty() => {
                let words = format!("`wal`: `{}` holds no WAL", shelf.title());
                trial.doubts.push(words);
            }
            Ok(shown) => {
                trial.segments += shown.wal.files.len();
                trial.note(unread::wal(shelf.as_ref(), &names));
            }
            Err(obstacle) => trial.obstacles.push(format!("`wal`: {obstacle}")),
        }
    }
    if let Some(path) = &settings.log {
        trial.obstacles.extend(log::obstacle(path));
    }
    trial
}

impl Trial {
    fn take(&mut self, place: &Place, look: Look) {
        let (backups, wal, complaints) = match &look {
            Look::Listing(listing) => (
                listing
                    .found
                    .iter()
                    .filter(|found| !found.is_partial)
                    .count(),
                listing.wal.as_ref().map(|shown| &shown.wal),
                &listing.complaints,
            ),
            Look::Sighting(sighting) => (
                sighting.backups.len(),
                sighting.wal.as_ref(),
                &sighting.complaints,
            ),
        };
        self.backups = backups;
        self.segments = wal.map_or(0, |wal| wal.files.len());
        self.doubts.extend(complaints.iter().cloned());
        if self.backups == 0 && self.segments == 0 {
            self.doubts.push(nothing(place));
        }
        if let (Place::Files(files), Look::Listing(listing)) = (place, &look) {
            let shelf = files.shelf();
            let closed = listing.closed.iter().map(ToString::to_string);
            self.doubts.extend(closed);
            self.note(unread::backup(shelf.as_ref(), &listing.found));
            if self.segments > 0 {
                self.note(unread::wal(shelf.as_ref(), &files.names()));
            }
        }
        self.look = Some(look);
    }

    /// What may not be read stands in the way of all; what else may be the matter, its watch will tell.
    fn note(&mut self, unread: Option<unread::Unread>) {
        let Some(unread) = unread else { return };
        if unread.is_denied {
            self.unread.push(unread.words.clone());
            self.obstacles.push(unread.words);
        } else {
            self.doubts.push(unread.words);
        }
    }

    /// Whether a drill could restore what was seen; `major` is that of the server it is of, where that is known. This
    /// blocks.
    pub fn drill(
        &self,
        source: &Settings,
        settings: &drill::Settings,
        state_dir: &Path,
        major: Option<u32>,
    ) -> Ready {
        let ready = drill::ready((source, self.look.as_ref()), settings, state_dir, major);
        if self.unread.is_empty() {
            return ready;
        }
        let mut obstacles = self.unread.clone();
        obstacles.extend(ready.err().unwrap_or_default());
        Err(obstacles)
    }
}

/// That a place has no backup, and what was looked for there.
fn nothing(place: &Place) -> String {
    let title = place.title();
    match place {
        Place::Files(files) if files.names() != "*" => format!(
            "`{title}` holds no finished backup whose name is like `{}`; does the job write there, and by such names?",
            files.names()
        ),
        Place::Files(_) => {
            format!("`{title}` holds no finished backup; does the job write there?")
        }
        Place::Tool(_) => format!("{title} knows of no backup"),
    }
}

/// Paths that lead elsewhere when pgvigil is started elsewhere.
fn relative(settings: &Settings) -> Vec<String> {
    let mut paths: Vec<(&str, &Path)> = Vec::new();
    let folder = |files: &'_ Files| match &files.root {
        Root::Folder(folder) => Some(folder.clone()),
        Root::Bucket(_) => None,
    };
    let (files, wal) = match &settings.place {
        Place::Files(files) => (folder(files), settings.wal.as_ref().and_then(folder)),
        Place::Tool(tool) => {
            let told = [
                ("file", Some(&tool.way)),
                ("archive_file", tool.archive.as_ref()),
            ];
            for (key, way) in told {
                if let Some(Way::File(file)) = way {
                    paths.push((key, file));
                }
            }
            paths.extend(tool.home.iter().map(|home| ("home", home.as_path())));
            (None, settings.wal.as_ref().and_then(folder))
        }
    };
    paths.extend(files.iter().map(|path| ("files", path.as_path())));
    paths.extend(wal.iter().map(|path| ("wal", path.as_path())));
    paths.extend(settings.log.iter().map(|path| ("log", path.as_path())));
    let relative = paths.into_iter().filter(|(_, path)| path.is_relative());
    relative.map(|(key, path)| words(key, path)).collect()
}

fn words(key: &str, path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    format!(
        "`{key}` is the relative path `{}`: it begins where pgvigil is started, which is `{}` now and `/` under systemd\nhint: write the whole path, such as `{}`",
        path.display(),
        here.display(),
        here.join(path).display()
    )
}
