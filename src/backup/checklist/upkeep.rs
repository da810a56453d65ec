//! What has to be looked after: logs, retention, room, and a replica.

use std::sync::Arc;
use std::time::Duration;

use super::Known;
use super::finding::{Finding, named, quoted};
use super::sources::{about, each, originals, unseen};
use crate::backup::Record;
use crate::backup::judge::usable;
use crate::words;

/// Room for so many more of the newest size.
const ROOM: f64 = 1.2;
const DAY: Duration = Duration::from_secs(86_400);

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
    let of = |record: &Record| {
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
    about(known.records.iter(), of)
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
