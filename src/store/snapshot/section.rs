//! Sections: a kind, a length, a payload and a checksum over these.

use std::io::{self, Read, Write};

use super::SnapshotError;

/// Bytes before the payload.
const HEAD: usize = 5;

/// Writes a section.
pub(super) fn write_section(to: &mut impl Write, kind: u8, payload: &[u8]) -> io::Result<()> {
    let head = head(kind, payload.len())?;
    to.write_all(&head)?;
    to.write_all(payload)?;
    to.write_all(&checksum(head, payload).to_le_bytes())
}

/// Reads a section into `payload`, which grows no further than what is there to be read, and returns its kind.
pub(super) fn read_section(
    from: &mut impl Read,
    payload: &mut Vec<u8>,
) -> Result<u8, SnapshotError> {
    let mut head = [0; HEAD];
    exactly(from, &mut head)?;
    let [kind, length @ ..] = head;
    let length = u64::from(u32::from_le_bytes(length));
    payload.clear();
    from.take(length).read_to_end(payload)?;
    let mut sum = [0; 4];
    exactly(from, &mut sum)?;
    if u32::from_le_bytes(sum) != checksum(head, payload) {
        return Err(SnapshotError::Damaged("a checksum is wrong"));
    }
    Ok(kind)
}

/// Fills `bytes`; a file that ends before is damaged.
pub(super) fn exactly(from: &mut impl Read, bytes: &mut [u8]) -> Result<(), SnapshotError> {
    from.read_exact(bytes).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => SnapshotError::Damaged("it ends too early"),
        _ => SnapshotError::Unreadable(error),
    })
}

fn head(kind: u8, length: usize) -> io::Result<[u8; HEAD]> {
    let length = u32::try_from(length).map_err(io::Error::other)?;
    let [a, b, c, d] = length.to_le_bytes();
    Ok([kind, a, b, c, d])
}

fn checksum(head: [u8; HEAD], payload: &[u8]) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    sum.update(&head);
    sum.update(payload);
    sum.finalize()
}
