//! From which moment to which one can restore.

use super::metric;
use super::usable::usable;
use crate::backup::metric::Page;
use crate::backup::{Backup, Chain, Facts, Sighting};
use crate::sample::Timestamp;

pub(super) fn samples(page: &mut Page, facts: &Facts) {
    let (start, end) = window(facts).unzip();
    for (metric, moment) in [(metric::WINDOW_START, start), (metric::WINDOW_END, end)] {
        page.put(metric, &[], moment.map_or(0.0, Timestamp::seconds));
    }
}

/// The oldest and the newest moment that could be restored, as far as the last look showed: of a dump when it began; of
/// physical backups, which may be those of other sources, from when they ended as far as WAL leads on.
pub(in crate::backup) fn window(facts: &Facts) -> Option<(Timestamp, Timestamp)> {
    let sighting = facts.sighting.as_ref()?;
    let has_own = has_base(sighting);
    let reach = facts.chain.as_ref().and_then(reach);
    // What is physical here and not usable is no reason to go by those of others.
    let is_apart = !(sighting.backups.iter()).any(|backup| backup.kind.is_physical());
    let reach = reach.filter(|_| has_own || is_apart && !facts.bases.is_empty());
    // Without WAL that leads on from them, backups of others can be restored from the others alone.
    let lent = facts.bases.iter().map(|base| base.opens);
    let lent = lent.filter(|_| is_apart && reach.is_some());
    let own = usable(sighting).into_iter().map(Backup::opens);
    let start = own.chain(lent).min()?;
    let end = newest_point(sighting).max(reach)?;
    Some((start.min(end), end))
}

/// The newest moment that the backups of a source could be restored to without WAL.
pub(in crate::backup) fn newest_point(sighting: &Sighting) -> Option<Timestamp> {
    usable(sighting)
        .into_iter()
        .map(Backup::recovery_point)
        .max()
}

/// Whether a source has a backup from which WAL could lead on.
pub(in crate::backup) fn has_base(sighting: &Sighting) -> bool {
    usable(sighting)
        .iter()
        .any(|backup| backup.kind.is_physical())
}

/// When WAL came up to the newest segment, where it leads there without a gap.
fn reach(chain: &Chain) -> Option<Timestamp> {
    let newest_end = chain.newest?.end(chain.segment_bytes);
    chain
        .last_arrival
        .filter(|_| chain.unbroken_end == Some(newest_end))
}
