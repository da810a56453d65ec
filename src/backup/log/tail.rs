//! What is new at the end of a file that others write to, and rotate.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// More is not read at once: of what is longer, the end.
const MOST: u64 = 1 << 20;

/// How far a file has been read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Position {
    device: u64,
    inode: u64,
    offset: u64,
}

/// What was read.
#[derive(Debug)]
pub(super) struct Lines {
    /// Complete lines; what is no UTF-8 is replaced.
    pub(super) text: String,
    pub(super) position: Position,
}

/// Reads the complete lines after a position; those of the end of the file where it is another file now or was cut.
///
/// # Errors
/// When it cannot be opened or read, or is no file.
pub(super) fn read(path: &Path, before: Option<&Position>) -> io::Result<Lines> {
    // A pipe in its place must not hold us: what is no file is not opened.
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let mut file = File::open(path)?;
    let metadata = file.metadata()?;
    let (device, inode, size) = (metadata.dev(), metadata.ino(), metadata.len());
    let is_same = |before: &&Position| {
        (before.device, before.inode) == (device, inode) && before.offset <= size
    };
    let known = before.filter(is_same).map_or(0, |before| before.offset);
    let start = known.max(size.saturating_sub(MOST));
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(MOST).read_to_end(&mut bytes)?;
    // A line that is cut at its beginning is none; nor is one that is still being written, unless nothing else fits.
    let skipped = if start > known {
        bytes
            .iter()
            .position(|byte| *byte == b'\n')
            .map_or(bytes.len(), |at| at + 1)
    } else {
        0
    };
    let complete = bytes
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |at| at + 1);
    let is_endless = complete == 0 && bytes.len() as u64 == MOST;
    let end = if is_endless { bytes.len() } else { complete };
    let text = bytes.get(skipped..end).unwrap_or_default();
    Ok(Lines {
        text: String::from_utf8_lossy(text).into_owned(),
        position: Position {
            device,
            inode,
            offset: start + end as u64,
        },
    })
}
