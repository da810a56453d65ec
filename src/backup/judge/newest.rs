//! The backups of one kind: how many there are, and how the newest usable one is.

use super::metric;
use super::sizes::Sizes;
use super::usable::{roots, usable};
use crate::backup::memory::Past;
use crate::backup::metric::Page;
use crate::backup::{Backup, Kind, Sighting, State};
use crate::sample::Timestamp;

pub(super) fn counts(page: &mut Page, sighting: &Sighting, kind: Kind) {
    for state in State::COUNTED {
        let counted = sighting
            .backups
            .iter()
            .filter(|backup| backup.kind == kind && backup.state.counted() == state);
        let labels = [("kind", kind.label()), ("state", state.label())];
        page.put(metric::COUNT, &labels, counted.count() as f64);
    }
}

pub(super) fn newest(
    page: &mut Page,
    sighting: &Sighting,
    past: &Past,
    kind: Kind,
    now: Timestamp,
) {
    let of_kind = usable(sighting)
        .into_iter()
        .filter(|backup| backup.kind == kind);
    let usable: Vec<&Backup> = of_kind.collect();
    let Some(newest) = usable.first() else {
        return;
    };
    let labels = [("kind", kind.label())];
    page.put(metric::LAST_SUCCESS, &labels, newest.moment().seconds());
    let age = now.since(newest.moment());
    page.put(metric::AGE, &labels, age.as_secs_f64());
    page.put(metric::SIZE, &labels, newest.bytes as f64);
    let took = newest.took.map(|took| took.as_secs_f64());
    page.put_some(metric::DURATION, &labels, took);
    // What needs another is as large as what has changed, which is never usual.
    let sizes = Sizes::of(before(&usable, sighting, past));
    if let Some(sizes) = sizes.filter(|_| kind.is_root()) {
        page.put(metric::TYPICAL_SIZE, &labels, sizes.typical);
        page.put(metric::SIZE_SPREAD, &labels, sizes.spread);
    }
}

/// The usual size of backups like the newest usable one that needs no other, in bytes; nothing of too few.
pub(in crate::backup) fn usual_size(sighting: &Sighting, past: &Past) -> Option<f64> {
    let mut roots = roots(sighting);
    let kind = roots.first()?.kind;
    roots.retain(|backup| backup.kind == kind);
    Sizes::of(before(&roots, sighting, past)).map(|sizes| sizes.typical)
}

/// The sizes of the backups before the newest, the latest first, those that are gone among them.
fn before(usable: &[&Backup], sighting: &Sighting, past: &Past) -> Vec<u64> {
    let Some((newest, before)) = usable.split_first() else {
        return Vec::new();
    };
    let is_listed = |name: &String| sighting.backups.iter().any(|backup| backup.id == *name);
    let gone = past.backups.iter().filter(|(name, known)| {
        known.kind == newest.kind
            && known.moment < newest.moment()
            && known.missed.is_some()
            && !is_listed(name)
    });
    let gone = gone.map(|(_, known)| (known.moment, known.bytes));
    let there = before.iter().map(|backup| (backup.moment(), backup.bytes));
    let mut all: Vec<(Timestamp, u64)> = there.chain(gone).collect();
    all.sort_by(|one, other| other.cmp(one));
    all.into_iter().map(|(_, bytes)| bytes).collect()
}
