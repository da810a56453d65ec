//! A WAL archive in numbers.

use super::metric;
use crate::backup::Chain;
use crate::backup::metric::Page;
use crate::sample::Timestamp;

pub(super) fn wal(page: &mut Page, chain: &Chain) {
    page.put(metric::WAL_MISSING, &[], chain.missing_segments() as f64);
    page.put(metric::WAL_SHORT, &[], chain.short.len() as f64);
    let arrival = chain.last_arrival.map(Timestamp::seconds);
    page.put_some(metric::WAL_LAST_ARRIVAL, &[], arrival);
}
