//! Whether backups are kept as long as was promised, and not much longer.

use std::time::Duration;

use super::usable::roots;
use super::{Matter, metric, truth};
use crate::backup::memory::Past;
use crate::backup::metric::Page;
use crate::backup::sighting::Backup;
use crate::backup::{Settings, Sighting};
use crate::sample::Timestamp;

const DAY: Duration = Duration::from_secs(24 * 3600);
/// How often a full backup is taken when nobody says so and too few are there to tell.
const USUAL_FULL_INTERVAL: Duration = Duration::from_secs(7 * 24 * 3600);

pub(super) fn retention(page: &mut Page, matter: &Matter, sighting: &Sighting, now: Timestamp) {
    let Matter { settings, past, .. } = matter;
    page.put_some(
        metric::WATCHED_SINCE,
        &[],
        past.since.map(Timestamp::seconds),
    );
    let Some(keep) = settings.keep else {
        return;
    };
    let gone = vanished(past, settings, now).len();
    page.put(metric::VANISHED, &[], gone as f64);
    let kept = Kept::of(settings, keep, past.since, sighting, now);
    page.put(metric::RETENTION_SHORT, &[], truth(kept.is_short));
    page.put(metric::RETENTION_OVERDUE, &[], truth(kept.is_overdue));
}

/// How long backups are kept, held against what was promised.
#[derive(Debug)]
pub(in crate::backup) struct Kept<'s> {
    /// The oldest usable one that needs no other.
    pub(in crate::backup) oldest: Option<&'s Backup>,
    /// It is old enough.
    pub(in crate::backup) is_reached: bool,
    /// It is not, although backups have been here for long enough.
    pub(in crate::backup) is_short: bool,
    /// It is much older than promised.
    pub(in crate::backup) is_overdue: bool,
}

impl Kept<'_> {
    /// Of what a look showed of backups that are to be kept for so long, and were first seen at `since`.
    pub(in crate::backup) fn of<'s>(
        settings: &Settings,
        keep: Duration,
        since: Option<Timestamp>,
        sighting: &'s Sighting,
        now: Timestamp,
    ) -> Kept<'s> {
        let roots = roots(sighting);
        // Before the source has been watched for that long, nothing can be missing from its beginning.
        let is_grown = since.is_some_and(|since| since <= now.before(keep));
        let slack = interval(settings, &roots) + settings.grace;
        let oldest = roots.last().copied();
        let age = oldest.map(|backup| now.since(backup.moment()));
        let is_reached = age.is_some_and(|age| age + slack >= keep);
        let patience = (keep.mul_f64(1.5)).max(keep + 2 * slack);
        Kept {
            oldest,
            is_reached,
            is_short: is_grown && age.is_some() && !is_reached,
            is_overdue: age.is_some_and(|age| age > patience),
        }
    }
}

/// The backups that were here, are gone for less than a day, and were promised to be kept, by name. Differential and
/// incremental ones may go before the full one that they need.
pub(in crate::backup) fn vanished(past: &Past, settings: &Settings, now: Timestamp) -> Vec<String> {
    let Some(keep) = settings.keep else {
        return Vec::new();
    };
    let promised = now.before(keep.saturating_sub(DAY.min(keep / 4)));
    let gone = past.backups.iter().filter(|(_, known)| {
        let is_root = known.kind.is_root();
        let is_news = known.missed.is_some_and(|missed| now.since(missed) < DAY);
        is_root && is_news && known.moment > promised
    });
    gone.map(|(name, _)| name.clone()).collect()
}

/// How far apart backups that need no other lie: as declared, else as they do.
fn interval(settings: &Settings, roots: &[&Backup]) -> Duration {
    if let Some(full_every) = settings.full_every {
        return full_every.max(settings.every);
    }
    let is_physical = roots.iter().any(|backup| backup.kind.is_physical());
    if !is_physical {
        return settings.every;
    }
    let gaps = roots.windows(2).map(|pair| {
        let gap = pair[0].moment().since(pair[1].moment());
        gap.as_secs_f64()
    });
    let gaps: Vec<f64> = gaps.collect();
    let usual = if gaps.len() < 2 {
        USUAL_FULL_INTERVAL
    } else {
        Duration::from_secs_f64(super::sizes::median(gaps))
    };
    usual.max(settings.every)
}
