//! From what was seen of a source to its samples. Time is handed in, so that an age grows although nothing new is seen.

use super::metric::{self, Page};
use super::records::Facts;
use super::sighting::{Backup, Kind, Origin, Proof, Sighting, State};
use super::{Obstacle, Settings, Trouble};
use crate::sample::{Sample, Timestamp};

/// How many backups a typical size is taken from, at least and at most.
const TYPICAL_OF: std::ops::RangeInclusive<usize> = 3..=7;

/// All samples of the source at this moment.
pub(super) fn samples(settings: &Settings, facts: &Facts, now: Timestamp) -> Vec<Sample> {
    let mut page = Page::of(&settings.name);
    let succeeded = facts.obstacle.is_none() && facts.looked.is_some();
    page.put(metric::PROBE_SUCCESS, &[], truth(succeeded));
    page.put_some(
        metric::PROBE_TIMESTAMP,
        &[],
        facts.looked.map(Timestamp::seconds),
    );
    page.put(metric::PROBE_DURATION, &[], facts.took.as_secs_f64());
    promises(&mut page, settings);
    problems(&mut page, settings, facts);
    if let Some(sighting) = &facts.sighting {
        for &kind in settings.place.kinds() {
            counts(&mut page, sighting, kind);
            newest(&mut page, sighting, kind, now);
        }
        whole_source(&mut page, settings, sighting);
        let told = sighting.told.map(|told| now.since(told).as_secs_f64());
        page.put_some(metric::ANSWER_AGE, &[], told);
    }
    page.finish()
}

fn promises(page: &mut Page, settings: &Settings) {
    page.put(metric::EXPECTED_INTERVAL, &[], settings.every.as_secs_f64());
    page.put(metric::EXPECTED_GRACE, &[], settings.grace.as_secs_f64());
    page.put_some(
        metric::EXPECTED_RETENTION,
        &[],
        settings.keep.map(|keep| keep.as_secs_f64()),
    );
}

fn problems(page: &mut Page, settings: &Settings, facts: &Facts) {
    let obstacle = facts.obstacle.as_ref().map(Obstacle::problem);
    for &problem in settings.place.problems() {
        page.put(
            metric::PROBLEM,
            &[("problem", problem)],
            truth(obstacle == Some(problem)),
        );
    }
    if let Some(sighting) = &facts.sighting {
        let is_empty = sighting.backups.is_empty();
        page.put(
            metric::PROBLEM,
            &[("problem", "folder_empty")],
            truth(is_empty),
        );
        let trouble = last_attempt(sighting).and_then(|backup| backup.trouble);
        for each in Trouble::ALL {
            page.put(
                metric::PROBLEM,
                &[("problem", each.label())],
                truth(trouble == Some(each)),
            );
        }
    }
}

fn counts(page: &mut Page, sighting: &Sighting, kind: Kind) {
    for state in State::COUNTED {
        let counted = sighting
            .backups
            .iter()
            .filter(|backup| backup.kind == kind && backup.state.counted() == state);
        let labels = [("kind", kind.label()), ("state", state.label())];
        page.put(metric::COUNT, &labels, counted.count() as f64);
    }
}

fn newest(page: &mut Page, sighting: &Sighting, kind: Kind, now: Timestamp) {
    let of_kind = usable(sighting)
        .into_iter()
        .filter(|backup| backup.kind == kind);
    let usable: Vec<&Backup> = of_kind.collect();
    let Some((newest, before)) = usable.split_first() else {
        return;
    };
    let labels = [("kind", kind.label())];
    page.put(metric::LAST_SUCCESS, &labels, newest.moment().seconds());
    page.put(
        metric::AGE,
        &labels,
        now.since(newest.moment()).as_secs_f64(),
    );
    page.put(metric::SIZE, &labels, newest.bytes as f64);
    let sizes = before
        .iter()
        .take(*TYPICAL_OF.end())
        .map(|backup| backup.bytes);
    page.put_some(metric::TYPICAL_SIZE, &labels, median(sizes.collect()));
}

fn whole_source(page: &mut Page, settings: &Settings, sighting: &Sighting) {
    let last = last_attempt(sighting);
    page.put(
        metric::LAST_ATTEMPT_FAILED,
        &[],
        truth(last.is_some_and(|backup| !backup.state.is_good())),
    );
    let running = sighting
        .backups
        .iter()
        .filter(|backup| backup.state == State::Running);
    let since = running.map(|backup| backup.finished).min();
    page.put_some(metric::RUNNING_SINCE, &[], since.map(Timestamp::seconds));
    let stored: u64 = sighting.backups.iter().map(|backup| backup.bytes).sum();
    page.put(metric::STORED, &[], stored as f64);
    page.put_some(
        metric::FREE,
        &[],
        sighting.space.map(|space| space.free as f64),
    );
    let usable = usable(sighting);
    for proof in Proof::EARNED {
        let proved = usable.iter().find(|backup| backup.proof >= proof);
        let moment = proved.map_or(0.0, |backup| backup.moment().seconds());
        page.put(metric::PROOF, &[("proof", proof.label())], moment);
    }
    for (metric, end) in [
        (metric::WINDOW_START, usable.last()),
        (metric::WINDOW_END, usable.first()),
    ] {
        page.put(
            metric,
            &[],
            end.map_or(0.0, |backup| backup.moment().seconds()),
        );
    }
    let origin = usable.first().and_then(|backup| backup.origin.as_ref());
    page.put_some(
        metric::FOREIGN,
        &[],
        is_foreign(settings, origin).map(truth),
    );
}

/// Usable backups, newest first. Those not read yet count only while no backup has been read at all: a new file is not
/// good news before it has been read.
fn usable(sighting: &Sighting) -> Vec<&Backup> {
    let judged = sighting
        .backups
        .iter()
        .any(|backup| backup.state.is_judged());
    let counted = if judged { State::Done } else { State::Unread };
    let mut usable: Vec<&Backup> = sighting
        .backups
        .iter()
        .filter(|backup| backup.state == counted)
        .collect();
    usable.sort_by_key(|backup| std::cmp::Reverse((backup.moment(), backup.finished)));
    usable
}

/// The newest backup that came to an end, good or bad.
fn last_attempt(sighting: &Sighting) -> Option<&Backup> {
    let ended = sighting
        .backups
        .iter()
        .filter(|backup| backup.state.is_judged());
    ended.max_by_key(|backup| backup.finished)
}

fn is_foreign(settings: &Settings, origin: Option<&Origin>) -> Option<bool> {
    match (&settings.database, origin?) {
        (Some(expected), Origin::Database(name)) => Some(expected != name),
        _ => None,
    }
}

fn median(mut sizes: Vec<u64>) -> Option<f64> {
    sizes.sort_unstable();
    let (count, middle) = (sizes.len(), sizes.len() / 2);
    match count % 2 {
        _ if count < *TYPICAL_OF.start() => None,
        1 => Some(sizes[middle] as f64),
        _ => Some((sizes[middle - 1] as f64 + sizes[middle] as f64) / 2.0),
    }
}

fn truth(fact: bool) -> f64 {
    f64::from(u8::from(fact))
}

#[cfg(test)]
mod tests;
