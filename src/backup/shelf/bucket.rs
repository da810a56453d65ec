//! A place in an object store: S3 and what speaks like it, Google's, Azure's.

mod client;
mod line;
mod page;
mod pieces;
mod refusal;
mod tap;
mod tree;

use std::io::{self, Read};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use object_store::path::Path;

pub use refusal::Refusal;

use super::{Item, Shape, Shelf};
use crate::backup::Obstacle;
use crate::backup::files::MOST_ENTRIES;
use crate::backup::settings::{Address, Provider};
use crate::backup::sighting::{Space, Storage};
use line::Line;
use page::Object;
use pieces::Pieces;
use tree::Tree;

/// A place in an object store. It is connected to when it is first asked.
#[derive(Debug)]
pub(crate) struct Bucket {
    address: Address,
    /// What the names at the place itself are known to begin with.
    narrow: String,
    line: OnceLock<Result<Arc<Line>, Refusal>>,
    /// What was listed, kept until something is asked for as it stands now.
    tree: Mutex<Tree>,
    /// Names at the place itself that are no path, as it was last listed.
    astray: Mutex<Vec<String>>,
}

/// So many folders are listed one by one; for more, one listing of everything is cheaper.
const FEW: usize = 8;
/// More of a name is not shown.
const LONGEST_NAME: usize = 120;
/// A single listing that takes longer has failed.
pub(crate) const LONGEST_LISTING: Duration = Duration::from_secs(120);
/// Classes from which reading costs money, or hours.
const ARCHIVES: [&str; 4] = ["GLACIER", "DEEP_ARCHIVE", "GLACIER_IR", "ARCHIVE"];

impl Bucket {
    /// The place, of whose files only those are looked for that match the pattern.
    pub(crate) fn new(address: &Address, pattern: &str) -> Self {
        let end = pattern.find(['*', '?']).unwrap_or(pattern.len());
        Bucket {
            address: address.clone(),
            narrow: pattern[..end].into(),
            line: OnceLock::new(),
            tree: Mutex::default(),
            astray: Mutex::default(),
        }
    }

    fn line(&self) -> io::Result<&Arc<Line>> {
        let line = self
            .line
            .get_or_init(|| Line::open(&self.address).map(Arc::new));
        line.as_ref().map_err(|refusal| refusal.clone().into())
    }

    fn tree(&self) -> MutexGuard<'_, Tree> {
        self.tree.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The name of an object or folder in the bucket.
    fn key(&self, name: &str) -> String {
        match (self.address.prefix.as_str(), name) {
            ("", name) => name.into(),
            (prefix, "") => prefix.into(),
            (prefix, name) => format!("{prefix}/{name}"),
        }
    }

    /// What the names of objects in a folder begin with.
    fn below(&self, folder: &str) -> String {
        let key = self.key(folder);
        if key.is_empty() { key } else { key + "/" }
    }

    /// Files and folders of the place itself.
    fn top(&self) -> io::Result<Vec<Item>> {
        let base = self.below("");
        let deadline = Instant::now() + LONGEST_LISTING;
        let wanted = format!("{base}{}", self.narrow);
        let page = self.line()?.list(&wanted, false, MOST_ENTRIES, deadline)?;
        let mut astray = Vec::new();
        let mut last = |key: &str, name: &str| -> Option<String> {
            let name = name.strip_prefix(&base)?;
            let is_path = tree::is_path(name);
            if !is_path {
                astray.push(page::plain(key, LONGEST_NAME));
            }
            is_path.then(|| name.to_owned())
        };
        let folders = page.folders.iter();
        let folders = folders.filter_map(|key| last(key, key.strip_suffix('/')?));
        let mut items: Vec<Item> = folders.map(|name| tree::folder_item(&name)).collect();
        // The place itself may have an object that only marks it as a folder.
        let objects = page.objects.iter().filter(|object| object.key != base);
        items.extend(objects.filter_map(|object| {
            let name = last(&object.key, &object.key)?;
            Some(tree::item(&name, object))
        }));
        *self.astray.lock().unwrap_or_else(PoisonError::into_inner) = astray;
        let is_single = |object: Object| object.key == self.address.prefix;
        if items.is_empty()
            && self.narrow.is_empty()
            && !base.is_empty()
            && self
                .line()?
                .first(&self.address.prefix, deadline)?
                .is_some_and(is_single)
        {
            return Err(Refusal::Single.into());
        }
        self.ask_for_encryption(&mut items, deadline);
        Ok(items)
    }

    /// A listing of S3 says nothing about encryption: the newest object is asked. Under a key of the store's own (KMS) or
    /// of the customer, an ETag is no checksum.
    fn ask_for_encryption(&self, items: &mut [Item], deadline: Instant) {
        let files = items.iter_mut().filter(|item| item.shape == Shape::File);
        let Some(newest) = files.max_by_key(|item| item.modified) else {
            return;
        };
        if self.address.provider != Provider::S3 {
            return;
        }
        let Ok(path) = Path::parse(self.key(&newest.name)) else {
            return;
        };
        let Ok(Ok(how)) = self.line().map(|line| line.encryption(&path, deadline)) else {
            return;
        };
        newest.storage.is_encrypted = Some(how.is_some());
        if how.is_some_and(|how| how != "AES256") {
            for item in items {
                item.storage.checksum = None;
            }
        }
    }

    /// Everything below a folder, however deep.
    fn cover(&self, folder: &str) -> io::Result<()> {
        let deadline = Instant::now() + LONGEST_LISTING;
        let (line, wanted) = (self.line()?, self.below(folder));
        let page = line.list(&wanted, true, MOST_ENTRIES, deadline)?;
        self.tree().cover(folder, &self.below(""), page.objects);
        Ok(())
    }

    /// The file as it was last seen, or as it stands.
    fn file(&self, name: &str) -> io::Result<Item> {
        if let Some(item) = self.tree().file(name) {
            return Ok(item.clone());
        }
        let deadline = Instant::now() + LONGEST_LISTING;
        let key = self.key(name);
        let first = self.line()?.first(&key, deadline)?;
        let first = first.filter(|object| object.key == key);
        let object = first.ok_or(Refusal::Gone)?;
        let last = name.rsplit('/').next().unwrap_or_default();
        Ok(tree::item(last, &object))
    }
}

impl Shelf for Bucket {
    fn title(&self) -> String {
        self.address.title()
    }

    fn list(&self, folder: &str) -> io::Result<Vec<Item>> {
        let folder = within(folder);
        if folder.is_empty() {
            *self.tree() = Tree::default();
            return self.top();
        }
        if self.tree().list(folder).is_none() {
            let is_many = self.tree().covered() == FEW;
            // Where everything together is too much, folders are still listed one by one.
            if !is_many || self.cover("").is_err() {
                self.cover(folder)?;
            }
        }
        let items = self.tree().list(folder).map(<[Item]>::to_vec);
        let items = items.filter(|items| !items.is_empty());
        Ok(items.ok_or(Refusal::Gone)?)
    }

    fn stand(&self, name: &str) -> io::Result<Item> {
        let last = name.rsplit('/').next().unwrap_or_default();
        let name = within(name);
        *self.tree() = Tree::default();
        match self.file(name) {
            Ok(item) => {
                self.tree().note(name, item.clone());
                Ok(item)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.list(name)?;
                Ok(tree::folder_item(last))
            }
            Err(error) => Err(error),
        }
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn Read + Send>> {
        let name = within(name);
        let item = self.file(name)?;
        if let Some(class) = archive(&item.storage) {
            return Err(Refusal::Archived(class.into()).into());
        }
        let path = Path::parse(self.key(name)).map_err(|_| Refusal::Unnamable)?;
        let line = self.line()?.clone();
        Ok(Box::new(Pieces::new(line, path, item.version, item.bytes)))
    }

    fn space(&self) -> Option<Space> {
        None
    }

    fn complaints(&self) -> Vec<String> {
        let astray = self.astray.lock();
        let astray = astray.unwrap_or_else(PoisonError::into_inner);
        let words = |first: &String| {
            format!(
                "{} of its names have `..`, `.` or nothing between slashes, such as `{first}`: what is called so is passed over",
                astray.len()
            )
        };
        astray.first().map(words).into_iter().collect()
    }

    fn obstacle(&self, error: &io::Error) -> Obstacle {
        match Refusal::carried(error) {
            Some(Refusal::Endless) => Obstacle::Endless(self.title()),
            Some(refusal) => Obstacle::Refused(self.title(), refusal.clone()),
            None => Obstacle::Unreadable(self.title(), error.to_string()),
        }
    }
}

/// A name as the bucket has it: the place itself is called `.`, too.
fn within(name: &str) -> &str {
    match name {
        "." => "",
        name => name.strip_prefix("./").unwrap_or(name),
    }
}

/// The class, where nothing can be read from it at once, or not for free.
fn archive(storage: &Storage) -> Option<&str> {
    let class = storage.class.as_deref()?;
    let is_archive = |archive: &&str| archive.eq_ignore_ascii_case(class);
    ARCHIVES.iter().any(is_archive).then_some(class)
}
