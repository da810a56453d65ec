//! What has to be looked after: logs, retention, room, and a replica.

use std::sync::Arc;

use super::Known;
use super::finding::{Finding, named, quoted};
use super::sources::{about, each, originals, unseen};
use crate::backup::judge::{Kept, fits, next_size};
use crate::backup::{Record, Sighting};
use crate::sample::Timestamp;
use crate::words;

pub(super) fn logs(known: &Known) -> Vec<Finding> {
    let of = |record: &Record| {
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
                    format!("its log has {count}: {}", quoted(&last.text, 300)),
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
    let originals: Vec<&str> = originals(known)
        .map(|record| &*record.settings.name)
        .collect();
    let is_meant = |record: &&Arc<Record>| {
        record.settings.log.is_some() || originals.contains(&&*record.settings.name)
    };
    about(known.records.iter().filter(is_meant), of)
}

pub(super) fn retention(known: &Known) -> Vec<Finding> {
    each(known, |record, sighting| {
        let Some(keep) = record.settings.keep else {
            return Finding::unknown("it is not said how long its backups are kept (`keep`)");
        };
        if let Some(words) = lost(record, sighting, known.now) {
            return Finding::refuted(known.now, words);
        }
        let since = record.facts.watched_since;
        let kept = Kept::of(&record.settings, keep, since, sighting, known.now);
        let Some(oldest) = kept.oldest else {
            return Finding::refuted(known.now, "there is no usable backup");
        };
        let (reach, promised) = (
            words::span(known.now.since(oldest.moment())),
            words::span(keep),
        );
        if !kept.is_reached {
            Finding::unknown(format!(
                "its oldest backup is {reach} old; {promised} are promised"
            ))
        } else if kept.is_overdue {
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

/// What went earlier than promised.
pub(super) fn lost(record: &Record, sighting: &Sighting, now: Timestamp) -> Option<String> {
    match record.facts.vanished.as_slice() {
        [] => {}
        [one] => return Some(format!("{} is gone and was promised to stay", named(one))),
        all => {
            return Some(format!(
                "{} backups are gone that were promised to stay",
                all.len()
            ));
        }
    }
    let keep = record.settings.keep?;
    let kept = Kept::of(
        &record.settings,
        keep,
        record.facts.watched_since,
        sighting,
        now,
    );
    let oldest = kept.oldest.filter(|_| kept.is_short)?;
    let (reach, promised) = (words::span(now.since(oldest.moment())), words::span(keep));
    Some(format!(
        "its oldest backup is {reach} old; {promised} are promised"
    ))
}

/// Copies need room as well.
pub(super) fn room(known: &Known) -> Vec<Finding> {
    let of = |record: &Record| {
        let Some(sighting) = &record.facts.sighting else {
            return unseen(record);
        };
        let Some(space) = sighting.space else {
            return Finding::unknown("how much room is left cannot be seen from here");
        };
        let next = next_size(sighting);
        let free = words::bytes(space.free as f64);
        if !fits(next, space.free) {
            let size = words::bytes(next as f64);
            return Finding::refuted(
                known.now,
                format!("{free} are free, and the next backup may have {size}"),
            );
        }
        Finding::Held {
            proved: false,
            at: record.facts.looked.unwrap_or(known.now),
            words: format!("{free} are free"),
        }
    };
    about(known.records.iter(), of)
}

pub(super) fn replica(known: &Known) -> Vec<Finding> {
    vec![match known.watched.standbys {
        None => Finding::unknown("whether a standby streams, only the running watch sees"),
        Some(0) => Finding::refuted(known.now, "no standby streams from a watched server"),
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
