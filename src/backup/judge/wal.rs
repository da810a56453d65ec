//! A WAL archive in numbers.

use super::metric;
use crate::backup::metric::Page;
use crate::sample::Timestamp;

/// What the WAL of a source adds up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WalNumbers {
    /// Segments missing, in two looks one after the other, from the oldest kept backup on.
    pub missing: u64,
    /// Segments that are not compressed and have not the size of a segment.
    pub short: u64,
    /// When the newest segment came.
    pub last_arrival: Option<Timestamp>,
    /// The newest moment to which WAL leads without a gap from a usable backup.
    pub reach: Option<Timestamp>,
}

pub(super) fn wal(page: &mut Page, wal: &WalNumbers) {
    page.put(metric::WAL_MISSING, &[], wal.missing as f64);
    page.put(metric::WAL_SHORT, &[], wal.short as f64);
    let arrival = wal.last_arrival.map(Timestamp::seconds);
    page.put_some(metric::WAL_LAST_ARRIVAL, &[], arrival);
}
