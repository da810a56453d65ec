//! The folders that pgvigil uses. Takes their paths; hands on what is to be said of them.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use super::Finding;

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

fn try_writing(dir: &Path) -> io::Result<()> {
    // What does not exist yet is made when pgvigil starts; to check is not to make it.
    let Some(there) = dir.ancestors().find(|folder| folder.exists()) else {
        return Err(io::ErrorKind::NotFound.into());
    };
    let trial = there.join(format!(".pgvigil-check-{}", std::process::id()));
    File::create_new(&trial)?;
    fs::remove_file(&trial)
}
