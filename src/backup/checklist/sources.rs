//! What probes and drills have shown, line by line: a finding for each source that a line is about.

use std::sync::Arc;
use std::time::Duration;

use super::Known;
use super::finding::{Finding, named};
use crate::backup::judge::{last_attempt, usable};
use crate::backup::{Backup, Outcome, Proof, Record, Report, Settings, Sighting};
use crate::sample::Timestamp;
use crate::words;

/// A backup smaller than this share of the usual size, or larger than its inverse, is not what it usually is.
const USUAL: f64 = 0.5;
/// Room for so many more of the newest size.
const ROOM: f64 = 1.2;
const DAY: Duration = Duration::from_secs(86_400);

/// The sources that hold backups and are no copies of others.
pub(super) fn originals<'k>(known: &Known<'k>) -> impl Iterator<Item = &'k Arc<Record>> + use<'k> {
    let records = known.records;
    let is_copy = |record: &Record| {
        let of = record.settings.copy_of.as_deref();
        records
            .iter()
            .any(|other| Some(other.settings.name.as_str()) == of)
    };
    let holds_backups = |record: &&Arc<Record>| !holds_only_wal(record);
    records
        .iter()
        .filter(holds_backups)
        .filter(move |record| !is_copy(record))
}

/// Whether a drill has restored a backup of the source, or of a copy of it, within the span.
pub(super) fn is_restored(known: &Known, record: &Record, within: Duration) -> bool {
    matches!(drilled_of(known, record, within), Finding::Held { .. })
}

pub(super) fn ran(known: &Known) -> Vec<Finding> {
    each(known, |record, sighting| {
        let Some(newest) = usable(sighting).first().copied() else {
            return Finding::refuted(known.now, "there is no usable backup");
        };
        let (at, name) = (newest.moment(), named(&newest.id));
        let when = words::moment(at, known.now);
        let last = last_attempt(sighting).filter(|last| !last.state.is_good());
        if let Some(last) = last {
            let (name, problem) = (named(&last.id), problem(last));
            return Finding::refuted(known.now, format!("the newest, {name}, {problem}"));
        }
        if known.now.since(at) > due(&record.settings) {
            let every = words::span(record.settings.every);
            return Finding::refuted(
                known.now,
                format!(
                    "the newest, {name}, was finished on {when}; one is promised every {every}"
                ),
            );
        }
        Finding::Held {
            proved: newest.proof >= Proof::Opened,
            at,
            words: format!("{name} was finished on {when}"),
        }
    })
}

pub(super) fn offsite(known: &Known) -> Vec<Finding> {
    each(known, |record, sighting| {
        let Some(newest) = usable(sighting).first().copied() else {
            return Finding::refuted(known.now, "there is no usable backup");
        };
        let places = places(known, record).filter(|place| is_offsite(&place.settings));
        let best = places
            .filter_map(|place| Some((place, *usable(place.facts.sighting.as_ref()?).first()?)));
        let Some((place, there)) = best.max_by_key(|(_, backup)| backup.moment()) else {
            return Finding::unknown("no place offsite shows a backup of it");
        };
        let (source, at) = (&place.settings.name, there.moment());
        let (name, when) = (named(&there.id), words::moment(at, known.now));
        if known.now.since(at) > due(&record.settings) {
            let words = format!("the newest offsite, {name} in {source}, was finished on {when}");
            return Finding::refuted(known.now, words);
        }
        let is_same = |other: &Backup| {
            last_name(&other.id) == last_name(&there.id) && other.bytes == there.bytes
        };
        let alike = source != &record.settings.name && sighting.backups.iter().any(is_same);
        let is_here = source == &record.settings.name;
        let size = if alike {
            ", with the same size as here"
        } else {
            ""
        };
        let lag = if is_here || there.moment() >= newest.moment() || alike {
            ""
        } else {
            "; it may be an older one"
        };
        Finding::Held {
            proved: alike || there.proof >= Proof::Opened,
            at,
            words: format!("{name} lies in {source}, finished on {when}{size}{lag}"),
        }
    })
}

pub(super) fn offsite_configured(known: &Known) -> Vec<Finding> {
    let of = |record: &Arc<Record>| {
        let mut offsite = places(known, record).filter(|place| is_offsite(&place.settings));
        match offsite.next() {
            None => Finding::unknown("no place offsite is configured for it"),
            Some(place) => match (place.facts.looked, &place.facts.obstacle) {
                (Some(at), None) => Finding::Held {
                    proved: true,
                    at,
                    words: format!(
                        "{} answers, at {}",
                        place.settings.name,
                        place.settings.place.title()
                    ),
                },
                (_, Some(obstacle)) => Finding::refuted(known.now, obstacle.to_string()),
                (None, None) => {
                    Finding::unknown(format!("{} has not been looked at", place.settings.name))
                }
            },
        }
        .of(&record.settings.name)
    };
    some(originals(known).map(of).collect())
}

pub(super) fn size(known: &Known) -> Vec<Finding> {
    each(known, |_, sighting| {
        let usable = usable(sighting);
        let Some(newest) = usable.first() else {
            return Finding::refuted(known.now, "there is no usable backup");
        };
        let Some(typical) = crate::backup::judge::typical_size(&usable, newest.kind) else {
            return Finding::unknown("there are too few backups to know their usual size");
        };
        let (size, usual) = (words::bytes(newest.bytes as f64), words::bytes(typical));
        let said = format!("{} has {size}, usually it is {usual}", named(&newest.id));
        let share = newest.bytes as f64 / typical;
        if (USUAL..=1.0 / USUAL).contains(&share) {
            Finding::Held {
                proved: true,
                at: newest.moment(),
                words: said,
            }
        } else {
            Finding::refuted(newest.finished, said)
        }
    })
}

pub(super) fn integrity(known: &Known) -> Vec<Finding> {
    const WEEK: Duration = Duration::from_secs(7 * 86_400);
    each(known, |_, sighting| {
        if let Some(last) = last_attempt(sighting).filter(|last| !last.state.is_good()) {
            let words = format!("the newest, {}, {}", named(&last.id), problem(last));
            return Finding::refuted(known.now, words);
        }
        let whole = usable(sighting)
            .into_iter()
            .find(|backup| backup.proof >= Proof::Whole);
        match whole {
            None => Finding::unknown("no backup has been read to its end"),
            Some(whole) if known.now.since(whole.moment()) > WEEK => {
                let when = words::moment(whole.moment(), known.now);
                Finding::unknown(format!(
                    "the newest that is known to be whole, {}, is of {when}",
                    named(&whole.id)
                ))
            }
            Some(whole) => Finding::Held {
                proved: true,
                at: whole.moment(),
                words: format!("{} {}", named(&whole.id), proof(whole.proof)),
            },
        }
    })
}

pub(super) fn drilled_weekly(known: &Known) -> Vec<Finding> {
    drilled(known, 7 * DAY)
}

pub(super) fn drilled_monthly(known: &Known) -> Vec<Finding> {
    drilled(known, 31 * DAY)
}

fn drilled(known: &Known, within: Duration) -> Vec<Finding> {
    let of = |record: &Arc<Record>| drilled_of(known, record, within).of(&record.settings.name);
    some(originals(known).map(of).collect())
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
    let when = words::moment(last.finished, known.now);
    match &last.outcome {
        Outcome::Failed(why) => {
            let words = format!(
                "the restore of {} on {when} failed: {}",
                named(&last.backup),
                plain(why)
            );
            Finding::refuted(last.finished, words)
        }
        _ if known.now.since(last.finished) > within => {
            Finding::unknown(format!("the last restore was on {when}"))
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
        "{} was restored on {when} in {took}, {held} {checks} held",
        named(&report.backup)
    )
}

pub(super) fn logs(known: &Known) -> Vec<Finding> {
    let of = |record: &Arc<Record>| {
        let Some(log) = &record.facts.log else {
            return match record.settings.log {
                Some(_) => Finding::unknown("its log has not been read yet"),
                None => Finding::unknown("no `log` is configured"),
            };
        };
        match (log.errors.last(), &log.obstacle, log.read) {
            (Some(last), _, _) => {
                let count = match log.errors.len() {
                    1 => "an error".to_owned(),
                    count => format!("{count} errors, the last"),
                };
                Finding::refuted(
                    last.at,
                    format!("its log has {count}: {}", named(&last.text)),
                )
            }
            (None, Some(obstacle), _) => Finding::refuted(known.now, obstacle),
            (None, None, Some(at)) => Finding::Held {
                proved: false,
                at,
                words: "its log has no line with an error of late".into(),
            },
            (None, None, None) => Finding::unknown("its log has not been read yet"),
        }
    };
    some(
        originals(known)
            .map(|record| of(record).of(&record.settings.name))
            .collect(),
    )
}

pub(super) fn retention(known: &Known) -> Vec<Finding> {
    each(known, |record, sighting| {
        let Some(keep) = record.settings.keep else {
            return Finding::unknown("it is not said how long its backups are kept (`keep`)");
        };
        let Some(oldest) = usable(sighting).last().copied() else {
            return Finding::refuted(known.now, "there is no usable backup");
        };
        let (age, promised) = (known.now.since(oldest.moment()), words::span(keep));
        let reach = words::span(age);
        if age + DAY < keep {
            Finding::unknown(format!(
                "its oldest backup is {reach} old; {promised} are promised"
            ))
        } else if age > keep.mul_f64(1.5) {
            let words = format!(
                "{} is {reach} old, and {promised} are promised",
                named(&oldest.id)
            );
            Finding::refuted(known.now, words)
        } else {
            Finding::Held {
                proved: false,
                at: record.facts.looked.unwrap_or(known.now),
                words: format!("its oldest backup is {reach} old, as promised ({promised})"),
            }
        }
    })
}

/// Copies need room as well.
pub(super) fn room(known: &Known) -> Vec<Finding> {
    let of = |record: &Arc<Record>| {
        let Some(sighting) = &record.facts.sighting else {
            return unseen(record);
        };
        let Some(space) = sighting.space else {
            return Finding::unknown("how much room is left cannot be seen from here");
        };
        let newest = usable(sighting).first().map_or(0, |backup| backup.bytes);
        let free = words::bytes(space.free as f64);
        if (space.free as f64) < ROOM * newest as f64 {
            let size = words::bytes(newest as f64);
            return Finding::refuted(
                known.now,
                format!("{free} are free, and the newest backup has {size}"),
            );
        }
        Finding::Held {
            proved: false,
            at: record.facts.looked.unwrap_or(known.now),
            words: format!("{free} are free"),
        }
    };
    some(
        known
            .records
            .iter()
            .map(|record| of(record).of(&record.settings.name))
            .collect(),
    )
}

pub(super) fn replica(known: &Known) -> Vec<Finding> {
    vec![match known.standbys {
        None => Finding::unknown("whether a standby streams, only the running watch sees"),
        Some(0) => Finding::unknown("no standby streams from a watched server"),
        Some(count) => Finding::Held {
            proved: false,
            at: known.now,
            words: match count {
                1 => "a standby streams".into(),
                count => format!("{count} standbys stream"),
            },
        },
    }]
}

/// A finding for each original, of what it shows.
fn each(known: &Known, of: impl Fn(&Record, &Sighting) -> Finding) -> Vec<Finding> {
    let each = originals(known).map(|record| {
        let found = match (&record.facts.obstacle, &record.facts.sighting) {
            (Some(obstacle), _) => Finding::refuted(known.now, obstacle.to_string()),
            (None, Some(sighting)) => of(record, sighting),
            (None, None) => unseen(record),
        };
        found.of(&record.settings.name)
    });
    some(each.collect())
}

fn unseen(record: &Record) -> Finding {
    match &record.facts.obstacle {
        Some(obstacle) => Finding::unknown(obstacle.to_string()),
        None => Finding::unknown("it has not been looked at yet"),
    }
}

/// Nothing at all must not pass for all that is well.
fn some(findings: Vec<Finding>) -> Vec<Finding> {
    if findings.is_empty() {
        return vec![Finding::unknown("no source of backups is configured")];
    }
    findings
}

/// The source itself and its copies.
fn places<'k>(
    known: &Known<'k>,
    record: &Record,
) -> impl Iterator<Item = &'k Arc<Record>> + use<'k> {
    let name = record.settings.name.clone();
    let records = known.records.iter();
    records.filter(move |other| {
        other.settings.name == name || other.settings.copy_of.as_ref() == Some(&name)
    })
}

fn holds_only_wal(record: &Record) -> bool {
    record.facts.sighting.as_ref().is_some_and(|sighting| {
        let has_wal = sighting
            .wal
            .as_ref()
            .is_some_and(|wal| !wal.files.is_empty());
        sighting.backups.is_empty() && has_wal
    })
}

/// What is declared counts; else a bucket is taken to be offsite, and anything else not.
fn is_offsite(settings: &Settings) -> bool {
    let url = settings.place.url();
    let is_bucket = ["s3://", "gs://", "az://"]
        .iter()
        .any(|scheme| url.starts_with(scheme));
    settings.offsite.unwrap_or(is_bucket)
}

fn due(settings: &Settings) -> Duration {
    settings.every + settings.grace
}

fn last_name(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}

fn problem(backup: &Backup) -> String {
    let word = backup.state.label();
    let said = backup.problem.as_deref().map(plain);
    said.unwrap_or_else(|| format!("is {word}"))
}

fn proof(proof: Proof) -> &'static str {
    match proof {
        Proof::Restored => "was restored",
        Proof::Summed => "was read to its end, and its checksums are right",
        _ => "was read to its end",
    }
}

/// What others have written, without what a terminal obeys.
fn plain(text: &str) -> String {
    const LONGEST: usize = 300;
    let shown = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    shown.take(LONGEST).collect()
}
