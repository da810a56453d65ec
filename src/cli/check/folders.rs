//! The folders that pgvigil uses. Takes their paths; hands on what is to be said of them.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use super::Finding;
use crate::backup;

/// Whether the state directory, or the folder in which it is to be made, can be written to.
pub(super) fn state(dir: &Path) -> (Finding, String) {
    match try_writing(dir) {
        Ok(()) => (Finding::Good, format!("`{}` can be written", dir.display())),
        Err(error) => (
            Finding::Warning,
            format!(
                "`{}` cannot be written: {error}; incidents would be forgotten at a restart\nhint: set `state_dir` to a \
                 folder that this user may write",
                dir.display()
            ),
        ),
    }
}

/// Whether the folder of a backup is there and can be listed.
pub(super) fn backup(settings: &backup::Settings) -> (Finding, String) {
    let (name, folder) = (&settings.name, settings.files.folder.display());
    match fs::read_dir(&settings.files.folder) {
        Ok(_) => (Finding::Good, format!("`{name}`: folder `{folder}`")),
        Err(error) => (
            Finding::Bad,
            format!(
                "`{name}`: folder `{folder}` cannot be listed: {error}\nhint: `files` of the backup names a folder on this \
                 host that this user may list"
            ),
        ),
    }
}

fn try_writing(dir: &Path) -> io::Result<()> {
    // What does not exist yet is made when pgvigil starts; to check is not to make it.
    let Some(there) = dir.ancestors().find(|folder| folder.exists()) else {
        return Err(io::ErrorKind::NotFound.into());
    };
    let trial = there.join(format!(".pgvigil-check-{}", std::process::id()));
    File::create_new(&trial)?;
    fs::remove_file(&trial)
}
