//! From a snapshot to a store, section by section.

use std::collections::HashMap;
use std::io::Read;

use super::contents::{Bounds, Contents};
use super::parts::Parts;
use super::section::{exactly, read_section};
use super::{MAGIC, SnapshotError, VERSION};
use crate::sample::{Source, Timestamp};
use crate::store::shelf::Shelf;

/// What a snapshot holds.
pub(super) struct Restored {
    pub(super) shelf: Shelf,
    pub(super) successes: HashMap<Source, Timestamp>,
    pub(super) taken: Timestamp,
}

/// What stands before all series.
pub(super) struct Header {
    /// When it was taken.
    pub(super) taken: Timestamp,
    /// Since when the store then covered everything.
    pub(super) covers_since: Timestamp,
    /// The time of its oldest sample.
    pub(super) oldest: Timestamp,
}

/// Reads all of it.
pub(super) fn read(mut from: impl Read, bounds: &Bounds) -> Result<Restored, SnapshotError> {
    let header = read_header(&mut from)?;
    let mut contents = Contents::new(bounds, &header);
    let mut payload = Vec::new();
    let mut kind = read_section(&mut from, &mut payload)?;
    while kind == b'S' {
        contents.read_series(&payload)?;
        kind = read_section(&mut from, &mut payload)?;
    }
    let successes = match kind {
        b'L' => contents.read_successes(&payload)?,
        _ => return Err(OUT_OF_PLACE),
    };
    match read_section(&mut from, &mut payload)? {
        b'E' => read_end(&payload, contents.series())?,
        _ => return Err(OUT_OF_PLACE),
    }
    nothing_follows(&mut from)?;
    Ok(Restored {
        shelf: contents.into_shelf(),
        successes,
        taken: header.taken,
    })
}

/// Reads what stands before all series.
pub(super) fn read_header(mut from: impl Read) -> Result<Header, SnapshotError> {
    read_magic(&mut from)?;
    let mut payload = Vec::new();
    if read_section(&mut from, &mut payload)? != b'H' {
        return Err(OUT_OF_PLACE);
    }
    let mut parts = Parts::of(&payload);
    let header = Header {
        taken: parts.time()?,
        covers_since: parts.time()?,
        oldest: parts.time()?,
    };
    parts.end()?;
    Ok(header)
}

const OUT_OF_PLACE: SnapshotError = SnapshotError::Damaged("a section is out of place");

fn read_magic(from: &mut impl Read) -> Result<(), SnapshotError> {
    let (mut magic, mut version) = ([0; 8], [0; 4]);
    exactly(from, &mut magic)?;
    if magic != MAGIC {
        return Err(SnapshotError::Foreign);
    }
    exactly(from, &mut version)?;
    match u32::from_le_bytes(version) {
        VERSION => Ok(()),
        other => Err(SnapshotError::Version(other)),
    }
}

fn read_end(payload: &[u8], series: u64) -> Result<(), SnapshotError> {
    let mut parts = Parts::of(payload);
    if parts.number()? != series {
        return Err(SnapshotError::Damaged("series are missing"));
    }
    parts.end()
}

fn nothing_follows(from: &mut impl Read) -> Result<(), SnapshotError> {
    match from.read(&mut [0])? {
        0 => Ok(()),
        _ => Err(SnapshotError::Damaged("something follows its end")),
    }
}
