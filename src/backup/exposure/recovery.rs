//! How old is the newest moment that could be restored from a source of backups?

use std::time::Duration;

use super::archive::Archive;
use super::metric;
use super::repository::{Held, Standing};
use crate::backup::judge::{has_base, newest_point};
use crate::backup::metric::Page;
use crate::backup::{Record, Settings};
use crate::sample::{Sample, Timestamp};

/// What may be lost where WAL is kept and nothing was promised.
pub const USUAL_OBJECTIVE: Duration = Duration::from_secs(300);

/// A moment, by both clocks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    /// By the wall clock, which backups and looks go by.
    pub(super) wall: Timestamp,
    /// By the one that never steps, which readings of the server go by.
    pub(super) steady: Timestamp,
}

impl Moment {
    /// A moment by the steady clock that is known by the other.
    pub(super) fn steady_of(self, wall: Timestamp) -> Timestamp {
        Timestamp(wall.0 + self.steady.0 - self.wall.0)
    }
}

/// What the last look at a source showed, and what the server said was archived when that was so.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Shown {
    looked: Option<Timestamp>,
    pub(super) has_base: bool,
    held: Option<Held>,
    newest_point: Option<Timestamp>,
    then: Option<u64>,
    /// It was so some time before the look: what has come since is not in it.
    is_told: bool,
}

impl Shown {
    /// Takes a look that is newer than the last one; says whether there was one.
    pub(super) fn learn(&mut self, record: &Record, archive: &Archive, now: Moment) -> bool {
        let Record { settings, facts } = record;
        let (Some(looked), Some(sighting)) = (facts.looked, &facts.sighting) else {
            return false;
        };
        // The backups of a look are judged one after the other, and its WAL leads on from them.
        self.has_base = has_base(sighting);
        self.newest_point = newest_point(sighting);
        let chain = facts.chain.as_ref();
        self.held = chain.and_then(|chain| Held::of(chain, archive.begun()));
        if self.looked == Some(looked) {
            return false;
        }
        let began = looked.before(facts.took);
        let seen = settings.place.wal_seen(began, sighting.told);
        (self.looked, self.is_told) = (Some(looked), seen < began);
        self.then = archive.end_at(now.steady_of(seen));
        true
    }

    /// How the WAL of the source stands to what the server says.
    fn standing(&self, archive: &Archive, segment_bytes: u64) -> Option<Standing> {
        let held = self.held?;
        Some(Standing::of(held, self.then, archive.end(), segment_bytes))
    }

    /// The age of the newest moment that WAL leads to, at most, where that is known, and at least; nothing while neither is.
    fn through_wal(
        &self,
        standing: Standing,
        archive: &Archive,
        now: Moment,
    ) -> Option<(Option<Duration>, Duration)> {
        let arrived = self.held.and_then(|held| held.arrived);
        let arrived = arrived.map(|arrived| now.steady_of(arrived));
        let from = |end| archive.exposure_from(end, arrived, now.steady);
        // The server's own account reaches further, and it knows since when.
        let trusted = standing.is_in_step.then(|| archive.exposure(now.steady));
        let least = trusted.unwrap_or_else(|| from(standing.end?));
        // An answer of some age cannot show that this is so.
        let most = match self.unbroken_end().filter(|_| self.is_told) {
            Some(end) => from(end),
            None => least,
        };
        let arrived = arrived.filter(|_| !standing.is_in_step || self.is_told);
        let safe = most.map_or(arrived, |exposure| exposure.safe_until);
        let lost = least.and_then(|exposure| exposure.lost_since);
        let age = |at: Timestamp| now.steady.since(at);
        let (most, least) = (safe.map(age), lost.map(age));
        (most.is_some() || least.is_some()).then(|| (most, least.unwrap_or_default()))
    }

    /// The position up to which the last look showed WAL without a gap.
    pub(super) fn unbroken_end(&self) -> Option<u64> {
        self.held?.unbroken_end
    }

    /// Whether it was ever looked at with success.
    pub(super) fn is_known(&self) -> bool {
        self.looked.is_some()
    }
}

/// The samples of one source. `has_base` says whether any source of the server has a backup from which WAL leads on.
pub(super) fn samples(
    record: &Record,
    shown: &Shown,
    archive: &Archive,
    segment_bytes: u64,
    has_base: bool,
    now: Moment,
) -> Vec<Sample> {
    let standing = shown.standing(archive, segment_bytes);
    let mut page = Page::of(&record.settings.name);
    let objective = objective(&record.settings, standing.is_some());
    page.put_some(
        metric::OBJECTIVE,
        &[],
        objective.map(|span| span.as_secs_f64()),
    );
    let behind = standing.and_then(|standing| standing.behind);
    page.put_some(metric::BEHIND, &[], behind.map(|segments| segments as f64));
    let through_wal = standing
        .filter(|_| has_base)
        .and_then(|standing| shown.through_wal(standing, archive, now));
    let alone = shown.newest_point.map(|moment| now.wall.since(moment));
    // Where no bound from above is known through WAL, the moment of the newest backup is one.
    let (most, least) = through_wal.unzip();
    let age = most.flatten().into_iter().chain(alone).min();
    let least = least.into_iter().chain(alone).min();
    page.put_some(metric::AGE, &[], age.map(|age| age.as_secs_f64()));
    page.put_some(metric::LEAST_AGE, &[], least.map(|age| age.as_secs_f64()));
    page.finish()
}

fn objective(settings: &Settings, has_wal: bool) -> Option<Duration> {
    settings.rpo.or(has_wal.then_some(USUAL_OBJECTIVE))
}

#[cfg(test)]
mod tests;
