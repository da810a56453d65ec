//! What is known of the newest backup of each source.

use std::time::Duration;

use super::Known;
use super::finding::{Finding, named, when};
use super::sources::{each, foreign, problem};
use crate::backup::judge::{is_usual, last_attempt, roots, usable};
use crate::backup::{Proof, Record, Sighting, State};
use crate::sample::Timestamp;
use crate::words;

const WEEK: Duration = Duration::from_secs(7 * 86_400);

pub(super) fn ran(known: &Known) -> Vec<Finding> {
    each(known, |record, sighting| {
        if let Some(words) = foreign(sighting) {
            return Finding::refuted(known.now, words);
        }
        let Some(newest) = usable(sighting).first().copied() else {
            return none_yet(record, sighting, known.now);
        };
        let (at, name) = (newest.moment(), named(&newest.id));
        let when = when(at, known.now);
        let last = last_attempt(sighting).filter(|last| !last.state.is_good());
        if let Some(last) = last {
            let (name, problem) = (named(&last.id), problem(last));
            return Finding::refuted(known.now, format!("the newest, {name}, {problem}"));
        }
        if known.now.since(at) > record.settings.due() {
            let every = words::span(record.settings.every);
            return Finding::refuted(
                known.now,
                format!("the newest, {name}, was finished {when}; one is promised every {every}"),
            );
        }
        Finding::Held {
            proved: newest.proof >= Proof::Opened,
            at,
            words: format!("{name} was finished {when}"),
        }
    })
}

/// What is being written, or has come so lately that this cannot be told, may be good.
fn none_yet(record: &Record, sighting: &Sighting, now: Timestamp) -> Finding {
    let mut backups = sighting.backups.iter();
    match backups.find(|backup| backup.state == State::Running) {
        Some(running) => {
            let (name, look) = (named(&running.id), words::span(record.settings.look));
            Finding::unknown(format!(
                "{name} is still being written, or came less than {look} ago: look again then"
            ))
        }
        None => Finding::refuted(now, "there is no usable backup"),
    }
}

pub(super) fn size(known: &Known) -> Vec<Finding> {
    each(known, |record, sighting| {
        let Some(newest) = roots(sighting).first().copied() else {
            return none_yet(record, sighting, known.now);
        };
        let Some(typical) = record.facts.usual_size else {
            return Finding::unknown("there are too few backups to know their usual size");
        };
        let (size, usual) = (words::bytes(newest.bytes as f64), words::bytes(typical));
        let said = format!("{} has {size}, usually it is {usual}", named(&newest.id));
        if is_usual(newest.bytes, typical) {
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
                let when = when(whole.moment(), known.now);
                Finding::unknown(format!(
                    "the newest that is known to be whole, {}, was finished {when}",
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

fn proof(proof: Proof) -> &'static str {
    match proof {
        Proof::Restored => "was restored",
        Proof::Summed => "was read to its end, and its checksums are right",
        _ => "was read to its end",
    }
}
