//! Folders out of the names of objects. A store has no folders; one listing of all names below a place gives them all.

use std::collections::{HashMap, HashSet};

use super::page::Object;
use crate::backup::shelf::{Item, Shape};
use crate::sample::Timestamp;

/// What was listed, by folder. Names are relative to the place.
#[derive(Debug, Default)]
pub(super) struct Tree {
    /// Folders of which everything below was listed; the empty name is the place itself.
    covered: HashSet<String>,
    folders: HashMap<String, Vec<Item>>,
}

impl Tree {
    /// What lies directly in a folder; `None` when that was not listed. A folder without anything does not exist.
    pub(super) fn list(&self, folder: &str) -> Option<&[Item]> {
        let is_covered = ancestors(folder).any(|above| self.covered.contains(above));
        let items = || self.folders.get(folder).map_or(&[][..], Vec::as_slice);
        is_covered.then(items)
    }

    /// A file that was listed.
    pub(super) fn file(&self, name: &str) -> Option<&Item> {
        let (folder, last) = name.rsplit_once('/').unwrap_or(("", name));
        let mut items = self.folders.get(folder)?.iter();
        items.find(|item| item.name == last && item.shape == Shape::File)
    }

    /// How many folders were listed one by one.
    pub(super) fn covered(&self) -> usize {
        self.covered.len()
    }

    /// Takes everything that lies below a folder; `base` is what the names of objects begin with and relative names do
    /// not.
    pub(super) fn cover(&mut self, folder: &str, base: &str, objects: Vec<Object>) {
        // What was listed alone before is listed again as part of a larger whole.
        self.folders
            .retain(|known, _| !ancestors(known).any(|above| above == folder));
        for object in objects {
            self.add(base, object);
        }
        self.covered.insert(folder.into());
    }

    /// Notes a single file as it stands.
    pub(super) fn note(&mut self, name: &str, item: Item) {
        let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
        self.folders.entry(folder.into()).or_default().push(item);
    }

    fn add(&mut self, base: &str, object: Object) {
        let Some(name) = object.key.strip_prefix(base).filter(|name| is_path(name)) else {
            return;
        };
        let (folder, last) = name.rsplit_once('/').unwrap_or(("", name));
        self.grow(folder);
        let item = item(last, &object);
        if let Some(items) = self.folders.get_mut(folder) {
            items.push(item);
        }
    }

    /// Makes a folder and those above it known.
    fn grow(&mut self, folder: &str) {
        if self.folders.contains_key(folder) {
            return;
        }
        self.folders.insert(folder.into(), Vec::new());
        if folder.is_empty() {
            return;
        }
        let (above, last) = folder.rsplit_once('/').unwrap_or(("", folder));
        self.grow(above);
        if let Some(items) = self.folders.get_mut(above) {
            items.push(folder_item(last));
        }
    }
}

/// The folder itself and those above it, up to the place.
fn ancestors(folder: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(folder), |below| match below.rsplit_once('/') {
        Some((above, _)) => Some(above),
        None => (!below.is_empty()).then_some(""),
    })
}

/// Whether a name can be taken for one below the place: a slash at its end only marks a folder, and what climbs or
/// stays cannot be asked for.
pub(super) fn is_path(name: &str) -> bool {
    name.split('/').all(|part| !["", ".", ".."].contains(&part))
}

/// A file, by its last name.
pub(super) fn item(last: &str, object: &Object) -> Item {
    Item {
        name: last.into(),
        shape: Shape::File,
        bytes: object.bytes,
        modified: object.modified,
        version: object.version.clone(),
        storage: object.storage.clone(),
    }
}

/// A folder, by its last name.
pub(super) fn folder_item(last: &str) -> Item {
    Item {
        name: last.into(),
        shape: Shape::Folder,
        bytes: 0,
        modified: Timestamp(0),
        version: None,
        storage: Default::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(key: &str) -> Object {
        Object {
            key: key.into(),
            bytes: 1,
            modified: Timestamp(0),
            version: None,
            storage: Default::default(),
        }
    }

    fn names(tree: &Tree, folder: &str) -> Option<String> {
        let items = tree.list(folder)?.iter();
        let names = items.map(|item| match item.shape {
            Shape::Folder => format!("{}/", item.name),
            _ => item.name.clone(),
        });
        Some(names.collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn folders_come_out_of_names() {
        let mut tree = Tree::default();
        assert_eq!(names(&tree, "a"), None);
        let keys = [
            "p/a/",
            "p/a/toc.dat",
            "p/a/b/c/x",
            "p/a/b/y",
            "p/a//z",
            "p/a/../z",
            "q/a/z",
        ];
        tree.cover("a", "p/", keys.map(object).into());
        assert_eq!(names(&tree, "a").unwrap(), "toc.dat b/");
        assert_eq!(names(&tree, "a/b").unwrap(), "c/ y");
        assert_eq!(names(&tree, "a/b/c").unwrap(), "x");
        assert_eq!(names(&tree, "a/none").unwrap(), "");
        assert_eq!(names(&tree, "b"), None);
        assert_eq!(tree.file("a/b/c/x").unwrap().bytes, 1);
        assert!(tree.file("a/b").is_none());
        tree.cover("", "p/", ["p/a/toc.dat", "p/n"].map(object).into());
        assert_eq!(names(&tree, "a").unwrap(), "toc.dat");
        assert_eq!(names(&tree, "").unwrap(), "a/ n");
    }
}
