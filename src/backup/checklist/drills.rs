//! Whether each source was restored from of late.

use std::time::Duration;

use super::Known;
use super::finding::{Finding, named, when};
use super::sources::{about, originals, places, plain};
use crate::backup::judge::usable;
use crate::backup::{Outcome, Record, Report};
use crate::words;

const DAY: Duration = Duration::from_secs(86_400);

pub(super) fn drilled_weekly(known: &Known) -> Vec<Finding> {
    drilled(known, 7 * DAY)
}

pub(super) fn drilled_monthly(known: &Known) -> Vec<Finding> {
    drilled(known, 31 * DAY)
}

/// The line is about data that comes back. Roles and tablespaces alone restore none, so that no drill is asked of them
/// where there is data beside; one that failed counts all the same, for without its roles a restore stops.
fn drilled(known: &Known, within: Duration) -> Vec<Finding> {
    let has_data = originals(known).any(|record| !is_globals(record));
    about(originals(known), |record| {
        match drilled_of(known, record, within) {
            Finding::Unknown { .. } if has_data && is_globals(record) => Finding::Held {
                proved: true,
                at: known.now,
                words:
                    "it holds roles and tablespaces and no data, so that no drill is asked of it"
                        .into(),
            },
            finding => finding,
        }
    })
}

fn is_globals(record: &Record) -> bool {
    let sighting = record.facts.sighting.as_ref();
    let newest = sighting.and_then(|sighting| usable(sighting).first().copied());
    newest.is_some_and(|newest| newest.is_globals)
}

/// A drill of a copy shows that the original can be restored as well.
fn drilled_of(known: &Known, record: &Record, within: Duration) -> Finding {
    let names: Vec<&str> = places(known, record)
        .map(|place| place.settings.name.as_str())
        .collect();
    let own = known
        .reports
        .iter()
        .filter(|report| names.contains(&report.source.as_str()));
    let Some(last) = Report::standing(own) else {
        let tried = known
            .reports
            .iter()
            .find(|report| names.contains(&report.source.as_str()));
        return match tried.map(|report| &report.outcome) {
            Some(Outcome::Impossible(why)) => {
                Finding::unknown(format!("a restore could not be tried: {}", plain(why)))
            }
            _ => Finding::unknown("no restore has been tried"),
        };
    };
    let when = when(last.finished, known.now);
    match &last.outcome {
        Outcome::Failed(why) => {
            let words = format!(
                "the restore of {} {when} failed: {}",
                named(&last.backup),
                plain(why)
            );
            // Until one works, whatever anybody says.
            Finding::refuted(known.now, words)
        }
        _ if known.now.since(last.finished) > within => {
            Finding::unknown(format!("the last restore was {when}"))
        }
        _ => Finding::Held {
            proved: true,
            at: last.finished,
            words: restored(last, &when),
        },
    }
}

fn restored(report: &Report, when: &str) -> String {
    let held = report
        .checks
        .iter()
        .filter(|check| check.holds == Some(true))
        .count();
    let took = words::seconds(report.recovery_time().as_secs_f64());
    let checks = if held == 1 { "check" } else { "checks" };
    format!(
        "{} was restored {when} in {took}, {held} {checks} held",
        named(&report.backup)
    )
}
