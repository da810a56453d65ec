//! Judges backups that a person names, wherever they lie, by reading each from end to end.

use std::path::Path;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::archive::Texts;
use super::files::{self, Listing, is_part_of_dump};
use super::inspect::{self, Pace, Progress, Reading, base};
use super::shelf::{Bucket, Folder, Item, Shape, Shelf};
use super::{Address, Files, Root, Verdict};

/// A backup that a person has named, or that lies in a folder that was named.
pub struct Named {
    /// What the person calls it.
    pub title: String,
    /// Its name says that it is still being written.
    pub is_partial: bool,
    shelf: Arc<dyn Shelf>,
    name: String,
    beside: Option<String>,
}

impl Named {
    /// Reads it from end to end, as fast as it can be read.
    pub fn verify(&self) -> Verdict {
        read(self.shelf.as_ref(), &self.name, self.beside.as_deref())
    }
}

/// Reads one backup of this machine from end to end, as fast as it can be read.
pub fn verify(path: &Path) -> Verdict {
    one(path).verify()
}

/// What is to be read where a person names a file, a folder, an address such as `s3://bucket/daily/rachel.dump` (keys come
/// from the environment), or a pattern: a backup, or each backup in a folder that is none itself.
///
/// # Errors
/// Nothing there is to be read, in words for the user.
pub fn named(path: &Path) -> Result<Vec<Named>, String> {
    let shown = path.display().to_string();
    if shown.contains("://") {
        return in_bucket(&shown);
    }
    // A link that a person names is followed; one that merely lies about is not.
    let there = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    if there.is_dir() {
        let shelf = Folder(there.clone());
        let items = shelf.list("");
        let items = items.map_err(|error| shelf.obstacle(&error).to_string())?;
        if !is_backup(&items) {
            let shelf: Arc<dyn Shelf> = Arc::new(shelf);
            return each(&shelf, &shown, "*");
        }
    } else if !there.exists() && shown.contains(['*', '?']) {
        let files = Files::read(&shown)?;
        let folder = path.parent().unwrap_or(path).display().to_string();
        return each(&files.shelf().into(), &folder, &files.pattern);
    } else if is_missing(&there) {
        return Err("does not exist".into());
    }
    Ok(vec![Named {
        title: shown,
        ..one(&there)
    }])
}

fn is_missing(path: &Path) -> bool {
    let error = path.symlink_metadata().err();
    error.is_some_and(|error| error.kind() == std::io::ErrorKind::NotFound)
}

fn one(path: &Path) -> Named {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let folder = path.parent().unwrap_or(&path);
    let has = |name: &str| folder.join(name).is_file();
    Named {
        title: path.display().to_string(),
        is_partial: false,
        beside: inspect::beside::own(&name, has).or_else(|| inspect::beside::shared(has)),
        shelf: Arc::new(Folder(folder.to_owned())),
        name: name.into_owned(),
    }
}

fn in_bucket(address: &str) -> Result<Vec<Named>, String> {
    let Files { root, pattern } = Files::read(address)?;
    let Root::Bucket(place) = root else {
        return Err(format!("`{address}` is no address of a bucket"));
    };
    let whole = place.prefix.clone();
    let (above, name) = whole.rsplit_once('/').unwrap_or(("", &whole));
    if pattern != "*" || name.is_empty() {
        return all_of(&place, &pattern);
    }
    let mut parent = place.clone();
    parent.prefix = above.into();
    let shelf = Bucket::new(&parent, name);
    let is_folder = match shelf.stand(name) {
        Ok(item) => item.shape == Shape::Folder,
        // Reading it says so, too.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
        Err(error) => return Err(shelf.obstacle(&error).to_string()),
    };
    if is_folder {
        let items = shelf.list(name);
        let items = items.map_err(|error| shelf.obstacle(&error).to_string())?;
        if !is_backup(&items) {
            return all_of(&place, &pattern);
        }
    }
    Ok(vec![Named {
        title: address.into(),
        is_partial: false,
        name: name.into(),
        beside: None,
        shelf: Arc::new(shelf),
    }])
}

fn all_of(place: &Address, pattern: &str) -> Result<Vec<Named>, String> {
    let shelf: Arc<dyn Shelf> = Arc::new(Bucket::new(place, pattern));
    each(&shelf, &place.title(), pattern)
}

/// Whether a folder with these items is itself a backup, be it a torn one. Where other files lie beside a `base.tar` that
/// has no manifest, it is a file like them.
fn is_backup(items: &[Item]) -> bool {
    let mut files = items.iter().filter(|item| item.shape == Shape::File);
    let form = base::Form::of(items);
    let is_base = base::Form::here(items).is_some()
        || form.is_some() && files.clone().all(|item| base::is_part(form, item));
    is_base || files.any(|item| is_part_of_dump(&item.name))
}

/// Every backup of a place, as a source of backups there would see them.
fn each(shelf: &Arc<dyn Shelf>, folder: &str, pattern: &str) -> Result<Vec<Named>, String> {
    let listing = files::list(shelf.as_ref(), pattern, &Texts::default());
    let mut listing = listing.map_err(|obstacle| obstacle.to_string())?;
    if listing.found.is_empty() {
        return Err(nothing(&listing, pattern));
    }
    listing
        .found
        .sort_by(|one, other| one.name.cmp(&other.name));
    let folder = folder.trim_end_matches('/');
    let named = listing.found.into_iter().map(|found| Named {
        title: format!("{folder}/{}", found.name),
        is_partial: found.is_partial,
        shelf: shelf.clone(),
        beside: found.beside.map(|beside| beside.name),
        name: found.name,
    });
    Ok(named.collect())
}

fn nothing(listing: &Listing, pattern: &str) -> String {
    match &listing.wal {
        Some(shown) => format!(
            "is a WAL archive, with {} segments, and holds no backup; WAL is judged with the base backups that need it: name it in `wal` of their source, and see `pgvigil backup status`",
            shown.wal.files.len()
        ),
        None if pattern == "*" => "holds no backup".into(),
        None => format!("holds no backup whose name is like `{pattern}`"),
    }
}

fn read(shelf: &dyn Shelf, name: &str, beside: Option<&str>) -> Verdict {
    let reading = Reading {
        pace: &Pace::unlimited(CancellationToken::new()),
        progress: &Progress::default(),
        beside,
        is_compared: false,
    };
    let verdict = inspect::inspect(shelf, name, &reading);
    verdict
        .unwrap_or_else(|| Verdict::listed("unknown"))
        .alone()
}
