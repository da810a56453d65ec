//! The backups that an incremental one needs, found by their labels.

use std::io::Read;

use super::is_tape;
use crate::backup::drill::failure::Failure;
use crate::backup::drill::fetch;
use crate::backup::inspect;
use crate::backup::shelf::{Shape, Shelf};

/// The backups that one needs, itself last. An incremental one says at which position the one before it began.
pub(super) fn chain(shelf: &dyn Shelf, name: &str) -> Result<Vec<String>, Failure> {
    let mut chain = vec![name.to_owned()];
    let mut label = label(shelf, name);
    while let Some(from) = label
        .as_deref()
        .and_then(|label| field(label, "INCREMENTAL FROM LSN: "))
    {
        let siblings = shelf
            .list("")
            .map_err(|error| Failure::Bad(error.to_string()))?;
        let parent = siblings
            .into_iter()
            .filter(|item| item.shape == Shape::Folder)
            .find_map(|item| {
                let other = self::label(shelf, &item.name)?;
                let start = field(&other, "START WAL LOCATION: ")?;
                let is_new = !chain.contains(&item.name);
                (is_new && start.split(' ').next() == Some(from)).then_some((item.name, other))
            });
        let Some((parent, above)) = parent else {
            let last = chain.last().map_or(name, String::as_str);
            return Err(Failure::Bad(format!(
                "`{last}` is incremental to a backup from {from} that is not there"
            )));
        };
        chain.push(parent);
        label = Some(above);
    }
    chain.reverse();
    Ok(chain)
}

/// A backup's label, of a folder; that of a tar file lies first in it.
fn label(shelf: &dyn Shelf, name: &str) -> Option<String> {
    let mut text = String::new();
    if let Ok(file) = shelf.open(&inspect::within(name, "backup_label")) {
        file.take(LONGEST_LABEL).read_to_string(&mut text).ok()?;
        return Some(text);
    }
    let base = fetch::list(shelf, name)
        .ok()?
        .into_iter()
        .find(|item| is_tape(&item.name, "base"))?;
    let content = inspect::content(shelf, &inspect::within(name, &base.name)).ok()?;
    let mut archive = tar::Archive::new(content);
    for entry in archive.entries().ok()?.take(LABEL_WITHIN).flatten() {
        if entry
            .path()
            .is_ok_and(|path| path.as_os_str() == "backup_label")
        {
            entry.take(LONGEST_LABEL).read_to_string(&mut text).ok()?;
            return Some(text);
        }
    }
    None
}

const LONGEST_LABEL: u64 = 8 << 10;
const LABEL_WITHIN: usize = 8;

/// What stands after a name at the beginning of a line.
pub(super) fn field<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.lines().find_map(|line| line.strip_prefix(name))
}
