//! Tries a source out once, for `pgvigil check`: its place, its WAL archive, its log, and a drill of it.

use std::path::Path;

use super::archive::Texts;
use super::drill::{self, Ready};
use super::settings::{Files, Place, Root, Way};
use super::source::Look;
use super::{Settings, files, log};

/// What came of it.
pub struct Trial {
    /// What stands in the way, in words.
    pub obstacles: Vec<String>,
    /// What may not be as it is meant, in words.
    pub doubts: Vec<String>,
    look: Option<Look>,
}

/// Looks at a source, as its watch does. This blocks.
pub fn try_out(settings: &Settings) -> Trial {
    let (mut obstacles, mut doubts) = (Vec::new(), relative(settings));
    let look = match settings.place.look(&Texts::default()) {
        Ok(look) => Some(look),
        Err(obstacle) => {
            obstacles.push(obstacle.to_string());
            None
        }
    };
    let complaints = match &look {
        Some(Look::Listing(listing)) => listing.complaints.as_slice(),
        Some(Look::Sighting(sighting)) => sighting.complaints.as_slice(),
        None => &[],
    };
    doubts.extend(complaints.iter().cloned());
    if let Some(apart) = &settings.wal {
        match files::list_wal(apart.shelf().as_ref(), &apart.names(), &Texts::default()) {
            Ok(shown) if shown.wal.files.is_empty() => {
                doubts.push(format!("`wal`: `{}` holds no WAL", apart.shelf().title()));
            }
            Ok(_) => {}
            Err(obstacle) => obstacles.push(format!("`wal`: {obstacle}")),
        }
    }
    if let Some(path) = &settings.log {
        obstacles.extend(log::obstacle(path));
    }
    Trial {
        obstacles,
        doubts,
        look,
    }
}

impl Trial {
    /// Whether a drill could restore what was seen; `major` is that of the server it is of, where that is known. This
    /// blocks.
    pub fn drill(
        &self,
        source: &Settings,
        settings: &drill::Settings,
        state_dir: &Path,
        major: Option<u32>,
    ) -> Ready {
        drill::ready((source, self.look.as_ref()), settings, state_dir, major)
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
