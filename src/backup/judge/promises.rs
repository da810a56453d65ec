//! What was promised of a source, and what stands against it.

use super::usable::{is_wal_only, last_attempt};
use super::{metric, truth};
use crate::backup::metric::Page;
use crate::backup::records::Facts;
use crate::backup::{Obstacle, Place, Settings, State, Trouble};

pub(super) fn promises(page: &mut Page, settings: &Settings) {
    let optional = |span: Option<std::time::Duration>| span.map(|span| span.as_secs_f64());
    page.put(metric::PROBE_INTERVAL, &[], settings.look.as_secs_f64());
    page.put(metric::EXPECTED_INTERVAL, &[], settings.every.as_secs_f64());
    page.put_some(
        metric::EXPECTED_FULL_INTERVAL,
        &[],
        optional(settings.full_every),
    );
    page.put(metric::EXPECTED_GRACE, &[], settings.grace.as_secs_f64());
    page.put_some(metric::EXPECTED_RETENTION, &[], optional(settings.keep));
}

pub(super) fn problems(page: &mut Page, settings: &Settings, facts: &Facts) {
    let obstacle = facts.obstacle.as_ref().map(Obstacle::problem);
    for &problem in settings.place.problems() {
        page.put(
            metric::PROBLEM,
            &[("problem", problem)],
            truth(obstacle == Some(problem)),
        );
    }
    let Some(sighting) = &facts.sighting else {
        return;
    };
    // A tool without a backup says so itself; of a folder it tells that something took them all away.
    if matches!(settings.place, Place::Files(_)) {
        let is_empty = sighting.backups.is_empty() && !is_wal_only(sighting);
        let labels = [("problem", "folder_empty")];
        page.put(metric::PROBLEM, &labels, truth(is_empty));
    }
    let damaged = last_attempt(sighting).filter(|backup| backup.state == State::Damaged);
    let trouble = damaged.map(|backup| backup.trouble.unwrap_or(Trouble::Corrupt));
    for each in Trouble::ALL {
        page.put(
            metric::PROBLEM,
            &[("problem", each.label())],
            truth(trouble == Some(each)),
        );
    }
    page.put(metric::COMPLAINTS, &[], sighting.complaints.len() as f64);
}
