//! Snapshots: loaded, and what was loaded is read. With checksums mended, so that what they guard is reached too.

use std::time::Duration;

use pgvigil::sample::Timestamp;
use pgvigil::store::{Settings, Store};

/// The bytes before the first section: what it is, and its version.
const FRONT: usize = 12;
/// A section's kind and length.
const HEAD: usize = 5;

/// Takes the bytes as a snapshot file.
pub fn run(bytes: &[u8]) {
    load(bytes);
    load(&mended(bytes));
}

fn load(bytes: &[u8]) {
    let settings = Settings {
        retention: Duration::from_secs(86_400),
        max_bytes: 16 << 20,
    };
    let (start, now) = (Timestamp(0), Timestamp(1_600_000_000_000));
    if let Ok((store, _)) = Store::read_snapshot(bytes, &settings, start, now) {
        let series = store.select(&[], Timestamp(i64::MIN), Timestamp(i64::MAX));
        assert_eq!(series.len(), store.size().series);
    }
}

/// The same with the right checksum behind every section.
fn mended(bytes: &[u8]) -> Vec<u8> {
    let (front, mut rest) = bytes.split_at(bytes.len().min(FRONT));
    let mut mended = front.to_vec();
    while let Some((head, _)) = rest.split_at_checked(HEAD) {
        let length = u32::from_le_bytes([head[1], head[2], head[3], head[4]]) as usize;
        let Some((section, after)) = rest.split_at_checked(HEAD + length) else {
            break;
        };
        mended.extend(section);
        mended.extend(crc32fast::hash(section).to_le_bytes());
        rest = after.get(4..).unwrap_or_default();
    }
    mended.extend(rest);
    mended
}
