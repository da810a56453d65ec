//! Whether each source was restored from of late.

use std::time::Duration;

use super::Known;
use super::finding::{Finding, named, when};
use super::sources::{about, originals, places, plain};
use crate::backup::{Outcome, Record, Report};
use crate::words;

const DAY: Duration = Duration::from_secs(86_400);

pub(super) fn drilled_weekly(known: &Known) -> Vec<Finding> {
    drilled(known, 7 * DAY)
}

pub(super) fn drilled_monthly(known: &Known) -> Vec<Finding> {
    drilled(known, 31 * DAY)
}

fn drilled(known: &Known, within: Duration) -> Vec<Finding> {
    about(originals(known), |record| drilled_of(known, record, within))
}

/// A drill of a copy shows that the original can be restored as well.
fn drilled_of(known: &Known, record: &Record, within: Duration) -> Finding {
    let names: Vec<&str> = places(known, record)
        .map(|place| place.settings.name.as_str())
        .collect();
    let mut own = known
        .reports
        .iter()
        .filter(|report| names.contains(&report.source.as_str()));
    let Some(last) = own.find(|report| !matches!(report.outcome, Outcome::Impossible(_))) else {
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
            Finding::refuted(last.finished, words)
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
