//! What was promised of a source, and what stands against it.

use super::metric;
use super::usable::{is_wal_only, last_attempt};
use crate::backup::metric::Page;
use crate::backup::records::Facts;
use crate::backup::{Obstacle, Settings, State, Trouble};

pub(super) fn promises(page: &mut Page, settings: &Settings) {
    page.put(metric::PROBE_INTERVAL, &[], settings.look.as_secs_f64());
    page.put(metric::EXPECTED_INTERVAL, &[], settings.every.as_secs_f64());
    let full_every = settings.full_every.map(|every| every.as_secs_f64());
    page.put_some(metric::EXPECTED_FULL_INTERVAL, &[], full_every);
    page.put(metric::EXPECTED_GRACE, &[], settings.grace.as_secs_f64());
    let keep = settings.keep.map(|keep| keep.as_secs_f64());
    page.put_some(metric::EXPECTED_RETENTION, &[], keep);
}

/// Only what is: that all is well is said by other series, and each way to go wrong would be one more.
pub(super) fn problems(page: &mut Page, settings: &Settings, facts: &Facts) {
    put(page, facts.obstacle.as_ref().map(Obstacle::problem));
    let Some(sighting) = &facts.sighting else {
        return;
    };
    let is_tool = settings.place.is_tool();
    // A tool without a backup says so itself; of a folder it tells that something took them all away.
    let is_empty = !is_tool && sighting.backups.is_empty() && !is_wal_only(facts);
    let damaged = last_attempt(sighting).filter(|backup| backup.state == State::Damaged);
    let trouble = damaged.map(|backup| backup.trouble.unwrap_or(Trouble::Corrupt));
    put(page, is_empty.then_some("folder_empty"));
    put(page, trouble.map(Trouble::label));
    page.put(metric::COMPLAINTS, &[], sighting.complaints.len() as f64);
}

fn put(page: &mut Page, problem: Option<&str>) {
    if let Some(problem) = problem {
        page.put(metric::PROBLEM, &[("problem", problem)], 1.0);
    }
}
