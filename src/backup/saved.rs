//! What is kept over restarts: a value as JSON in a file of the state directory.

use std::io;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// What an earlier run has kept; nothing when there is nothing or it cannot be understood.
pub(super) fn read<T: DeserializeOwned>(path: &Path) -> Option<T> {
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}

/// Writes aside, then renames, so that what is there is always whole.
///
/// # Errors
/// When the state directory cannot be written.
pub(super) fn write(path: &Path, value: &impl Serialize) -> io::Result<()> {
    let aside = path.with_extension("json.tmp");
    std::fs::write(&aside, serde_json::to_vec(value)?)?;
    std::fs::rename(&aside, path)
}
