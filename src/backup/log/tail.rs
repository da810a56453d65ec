//! What is new at the end of a file that others write to, and rotate.

use std::fs::{File, Metadata};
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
    /// Whether what was written last to the file that lay here before may never have been read.
    pub(super) is_torn: bool,
}

/// Reads the complete lines after a position. Where it is another file now, or was cut, those of its end, after what the
/// file before got last, if that lies beside it as `.1`.
///
/// # Errors
/// When it cannot be opened or read, or is no file.
pub(super) fn read(path: &Path, before: Option<&Position>) -> io::Result<Lines> {
    let (file, found) = open(path)?;
    let known = before.filter(|before| before.is_in(&found));
    let rest = before
        .filter(|_| known.is_none())
        .map(|before| rest(path, before));
    let (text, offset) = lines(file, known.map_or(0, |known| known.offset), found.len())?;
    Ok(Lines {
        is_torn: matches!(rest, Some(None)),
        text: rest.flatten().unwrap_or_default() + &text,
        position: Position {
            device: found.dev(),
            inode: found.ino(),
            offset,
        },
    })
}

impl Position {
    /// Whether it is one in this file, which has not been cut since.
    fn is_in(&self, file: &Metadata) -> bool {
        (self.device, self.inode) == (file.dev(), file.ino()) && self.offset <= file.len()
    }
}

/// A pipe in its place must not hold us: what is no file is not opened.
fn open(path: &Path) -> io::Result<(File, Metadata)> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    Ok((file, metadata))
}

/// What the file got before it was rotated, its last line whether complete or not; nothing where it cannot be found.
fn rest(path: &Path, before: &Position) -> Option<String> {
    let mut rotated = path.as_os_str().to_owned();
    rotated.push(".1");
    let (mut file, found) = open(rotated.as_ref()).ok()?;
    if !before.is_in(&found) {
        return None;
    }
    let start = before.offset.max(found.len().saturating_sub(MOST));
    file.seek(SeekFrom::Start(start)).ok()?;
    let mut bytes = Vec::new();
    file.take(MOST).read_to_end(&mut bytes).ok()?;
    bytes.push(b'\n');
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// The complete lines of a file after what is known of it, and the offset at which they end.
fn lines(mut file: File, known: u64, size: u64) -> io::Result<(String, u64)> {
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
    Ok((
        String::from_utf8_lossy(text).into_owned(),
        start + end as u64,
    ))
}
