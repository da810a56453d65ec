//! Whether backups are kept as long as was promised, and not much longer.

use std::time::Duration;

use super::usable::usable;
use super::{Matter, metric, truth};
use crate::backup::memory::Past;
use crate::backup::metric::Page;
use crate::backup::sighting::Backup;
use crate::backup::{Kind, Settings, Sighting};
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
    let roots = roots(sighting);
    // Before the source has been watched for that long, nothing can be missing from its beginning.
    let is_grown = past.since.is_some_and(|since| since <= now.before(keep));
    let slack = interval(settings, &roots) + settings.grace;
    let oldest = roots.last().map(|backup| now.since(backup.moment()));
    let is_short = oldest.is_some_and(|oldest| oldest + slack < keep);
    page.put(metric::RETENTION_SHORT, &[], truth(is_grown && is_short));
    let patience = (keep.mul_f64(1.5)).max(keep + 2 * slack);
    let is_overdue = oldest.is_some_and(|oldest| oldest > patience);
    page.put(metric::RETENTION_OVERDUE, &[], truth(is_overdue));
}

/// The backups that were here, are gone for less than a day, and were promised to be kept, by name. Differential and
/// incremental ones may go before the full one that they need.
pub(in crate::backup) fn vanished(past: &Past, settings: &Settings, now: Timestamp) -> Vec<String> {
    let Some(keep) = settings.keep else {
        return Vec::new();
    };
    let promised = now.before(keep.saturating_sub(DAY.min(keep / 4)));
    let gone = past.backups.iter().filter(|(_, known)| {
        let is_root = matches!(known.kind, Kind::Full | Kind::Dump);
        let is_news = known.missed.is_some_and(|missed| now.since(missed) < DAY);
        is_root && is_news && known.moment > promised
    });
    gone.map(|(name, _)| name.clone()).collect()
}

/// The usable backups that need no other, newest first.
fn roots(sighting: &Sighting) -> Vec<&Backup> {
    let mut roots = usable(sighting);
    roots.retain(|backup| matches!(backup.kind, Kind::Full | Kind::Dump));
    roots
}

/// How far apart such backups lie: as declared, else as they do.
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
