//! The source as a whole: how its last attempt ended, what it stores, what is proved, and of what it is.

use super::usable::{last_attempt, restorable, usable};
use super::{Matter, metric, truth};
use crate::backup::metric::Page;
use crate::backup::{Backup, Origin, Proof, Settings, Sighting, State};
use crate::sample::Timestamp;

pub(super) fn whole(page: &mut Page, matter: &Matter, sighting: &Sighting) {
    let last = last_attempt(sighting);
    for state in [State::Failed, State::Damaged] {
        let ended_so = last.is_some_and(|backup| backup.state == state);
        let labels = [("state", state.label())];
        page.put(metric::LAST_ATTEMPT_FAILED, &labels, truth(ended_so));
    }
    let running = sighting
        .backups
        .iter()
        .filter(|backup| backup.state == State::Running);
    let since = running.map(|backup| backup.finished).min();
    page.put_some(metric::RUNNING_SINCE, &[], since.map(Timestamp::seconds));
    page.put(metric::STORED, &[], matter.facts.stored() as f64);
    let free = sighting.space.map(|space| space.free as f64);
    page.put_some(metric::FREE, &[], free);
    proofs(page, matter.settings, sighting);
    let foreign = matter.facts.foreign.map(truth);
    page.put_some(metric::FOREIGN, &[], foreign);
}

fn proofs(page: &mut Page, settings: &Settings, sighting: &Sighting) {
    let usable = usable(sighting);
    // Nobody reads what a tool keeps: restoring it is the only proof.
    let is_possible = |proof: &Proof| !settings.place.is_tool() || *proof == Proof::Restored;
    for proof in Proof::EARNED.into_iter().filter(is_possible) {
        let proved = usable.iter().find(|backup| backup.proof >= proof);
        let moment = proved.map_or(0.0, |backup| backup.moment().seconds());
        page.put(metric::PROOF, &[("proof", proof.label())], moment);
    }
}

/// Marks the backups that name another database than configured, or another cluster than the server's; says whether the
/// newest that would restore is one, `None` when either is not known.
pub(in crate::backup) fn mark_foreign(
    settings: &Settings,
    system_identifier: Option<u64>,
    sighting: &mut Sighting,
) -> Option<bool> {
    let is_foreign = |backup: &Backup| match backup.origin.as_ref()? {
        Origin::Database(name) => Some(settings.database.as_ref()? != name),
        Origin::Cluster(identifier) => Some(system_identifier? != *identifier),
    };
    for backup in &mut sighting.backups {
        backup.is_foreign = is_foreign(backup) == Some(true);
    }
    restorable(sighting)
        .first()
        .and_then(|newest| is_foreign(newest))
}

/// The newest backup that would restore, when it is not of what it should be of.
pub(in crate::backup) fn newest_foreign(sighting: &Sighting) -> Option<&Backup> {
    let newest = restorable(sighting).first().copied()?;
    newest.is_foreign.then_some(newest)
}
