//! Words for WAL that does not lead where it should, and the moment that can be asked for instead. Takes what is known of
//! the way; hands on messages.

use std::time::Duration;

use crate::backup::Ended;
use crate::backup::wal::{Held, Segment};
use crate::sample::Timestamp;

/// Labels know the end of a backup to the second.
const SECOND: Duration = Duration::from_secs(1);
/// Recovery stops before the first transaction that ended after the moment that is asked for, so there must be one.
const BEFORE: Duration = Duration::from_millis(1);

/// A moment that lies in the WAL which recovery has replayed up to a transaction that ended then.
pub(super) fn replayed(last: Timestamp, ended: Ended) -> Option<Timestamp> {
    after(last.before(BEFORE), ended)
}

/// A moment that most likely lies in the WAL up to a segment: when the one before it came, this one was being written.
pub(super) fn listed(held: &Held, last: Segment, ended: Ended) -> Option<Timestamp> {
    let came = held.arrived_before(last)?;
    after(Timestamp(came.0 - came.0.rem_euclid(1000)), ended)
}

/// Before its end a backup is not consistent.
fn after(moment: Timestamp, ended: Ended) -> Option<Timestamp> {
    (moment >= ended.likely() + SECOND).then_some(moment)
}

/// How a segment is not there.
pub(super) fn lack(held: &Held, segment: Segment) -> String {
    held.short.get(&segment).map_or_else(
        || "is missing".into(),
        |bytes| format!("is short ({bytes} of {} bytes)", held.segment_bytes),
    )
}

/// Words for a backup whose own WAL is not whole.
pub(super) fn inconsistent(name: &str, lack: &str) -> String {
    format!(
        "the backup needs WAL segment `{name}`, which {lack} in the archive: it cannot become consistent; bring that segment back from another copy of the archive, or take a new base backup"
    )
}

/// Words for a gap in the WAL.
pub(super) fn gap(
    name: &str,
    lack: &str,
    target: Option<Timestamp>,
    offer: Option<Timestamp>,
) -> String {
    format!(
        "WAL segment `{name}` {lack} although later ones are there; {}",
        remedy(target, offer)
    )
}

/// Words for a segment at which PostgreSQL took WAL to be at its end.
pub(super) fn damaged(name: &str, target: Option<Timestamp>, offer: Option<Timestamp>) -> String {
    format!(
        "replay ended in WAL segment `{name}`, although later ones are there: it is damaged; {}",
        remedy(target, offer)
    )
}

fn remedy(target: Option<Timestamp>, offer: Option<Timestamp>) -> String {
    let target = target.map_or_else(String::new, |target| {
        format!(": {} cannot be reached", when(target))
    });
    let offer = offer.map_or_else(String::new, |offer| {
        format!(
            "; moments up to {0} can be reached, with `--target={0}`",
            exact(offer)
        )
    });
    format!(
        "what came after it cannot be recovered{target}{offer}; bring it back from another copy of the archive, or take a new base backup"
    )
}

/// Words for a moment to which WAL does not lead yet.
pub(super) fn beyond(name: &str, target: Option<Timestamp>, offer: Option<Timestamp>) -> String {
    let target = target.map_or_else(String::new, |target| format!(", {},", when(target)));
    let (reached, way_out) = offer.map_or_else(
        || ("hardly past the backup itself".into(), String::new()),
        |offer| {
            let offer = exact(offer);
            let way_out = format!("ask for an earlier moment, as with `--target={offer}`, or ");
            (format!("to {offer} or shortly after"), way_out)
        },
    );
    format!(
        "the moment that is asked for{target} lies beyond the WAL archive: it leads {reached}, and segment `{name}` would come next; {way_out}wait until that segment is archived"
    )
}

/// A moment as it can be asked for, to the second.
pub(super) fn when(moment: Timestamp) -> String {
    format!("{}Z", &moment.rfc3339()[..19])
}

/// The same, to the millisecond where that matters.
fn exact(moment: Timestamp) -> String {
    match moment.0.rem_euclid(1000) {
        0 => when(moment),
        _ => moment.rfc3339(),
    }
}
