//! When a base backup ended. Whoever copies one without the times of its files makes it look new: so what it says of
//! itself, and what its WAL archive knows of it, bounds that from both sides. Takes verdicts and an archive; fills in
//! [`Backup::ended`](super::Backup).

use std::time::Duration;

use super::archive::Archive;
use super::moment::{Said, is_long_before, likely};
use super::needs::Read;
use super::wal::Segment;
use super::{Proof, Verdict};
use crate::sample::Timestamp;

/// The clocks of a server, of its archive and of where its backups lie may differ by so much.
const SKEW: Duration = Duration::from_secs(300);

/// The bounds of the moment at which a base backup ended; the same where that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// It holds all that had been committed by then.
    pub earliest: Timestamp,
    /// It had ended by then.
    pub latest: Timestamp,
}

/// What there is to tell when a base backup ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Evidence {
    /// When the newest of its files was written where it lies.
    pub(super) modified: Timestamp,
    /// When the oldest and the newest of its files had been written on the server, as its manifest says.
    pub(super) written: Option<(Timestamp, Timestamp)>,
    /// When it began, as its label says.
    pub(super) began: Option<Said>,
    /// When it ended, as the label in the archive says.
    pub(super) stopped: Option<Said>,
    /// When the segment in which it ended was in the archive, or one after it.
    pub(super) arrived: Option<Timestamp>,
}

impl Ended {
    /// The moment that its age is counted from: the latest possible, unless that is so much later than the earliest that
    /// hardly a backup that took long explains it.
    pub(super) fn likely(self) -> Timestamp {
        likely(self.earliest, self.latest)
    }
}

/// Fills in when each base backup that was read had ended.
pub(super) fn date(read: &mut [Read], archive: Option<&Archive>) {
    for (backup, verdict) in read {
        let evidence = verdict
            .filter(|_| backup.kind.is_physical())
            .map(|verdict| Evidence::of(verdict, backup.finished, archive));
        backup.ended = evidence.as_ref().map(ended);
    }
}

impl Evidence {
    /// Of a base backup that was read, whose newest file was written at `modified`, and of its WAL.
    pub(super) fn of(
        verdict: &Verdict,
        modified: Timestamp,
        archive: Option<&Archive>,
    ) -> Evidence {
        let wal = archive.zip(verdict.wal);
        let label = wal.and_then(|(archive, wal)| archive.witness(wal.timeline, wal.start));
        let arrived = wal.and_then(|(archive, wal)| {
            let (held, last) = (&archive.held, wal.end.saturating_sub(1));
            held.arrived(Segment::at(wal.timeline, last, held.segment_bytes))
        });
        // Of a server that was shut down nothing is newer than that, whenever it was copied.
        let shut = verdict.written.filter(|_| verdict.proof == Proof::Listed);
        Evidence {
            modified: shut.map_or(modified, |(_, shut)| shut.min(modified)),
            written: verdict.written,
            began: verdict.began,
            stopped: label.and_then(|label| label.finished),
            arrived,
        }
    }
}

/// The bounds that the evidence leaves.
pub(super) fn ended(evidence: &Evidence) -> Ended {
    let Evidence {
        modified,
        written,
        began,
        ..
    } = *evidence;
    // Nothing arrives before it began.
    let is_possible =
        |arrived: &Timestamp| began.is_none_or(|began| !is_long_before(*arrived, began.at()));
    let arrived = evidence.arrived.filter(is_possible);
    let latest = arrived.unwrap_or(modified).min(modified);
    // pg_combinebackup writes old backups anew, and a manifest with the times of that, and leaves the label as it was.
    let is_anew = |oldest: Timestamp| {
        let began = began.and_then(|began| began.moments().into_iter().max());
        began.is_some_and(|began| began < oldest)
    };
    let newest = written
        .filter(|(oldest, _)| !is_anew(*oldest))
        .map(|(_, newest)| newest);
    let began = began.map(|began| match began.is_exact() {
        true => began.at(),
        false => likely(began.at(), latest),
    });
    let earliest = newest.or(began).unwrap_or(latest).min(latest);
    let possible = earliest.before(SKEW)..=latest + SKEW;
    let stops = evidence.stopped.map(Said::moments).unwrap_or_default();
    let stops = stops.into_iter().filter(|stop| possible.contains(stop));
    let stops: Vec<Timestamp> = stops.map(|stop| stop.min(latest)).collect();
    Ended {
        earliest: stops.iter().min().copied().unwrap_or(earliest),
        latest: stops.iter().max().copied().unwrap_or(latest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A moment of a day in November, by its hour and minute; hours may be of the days after.
    fn at(hour: i64, minute: i64) -> Timestamp {
        let day = Said::parse("2026-11-23 00:00:00 UTC").unwrap().at();
        Timestamp(day.0 + (hour * 60 + minute) * 60_000)
    }

    #[test]
    fn a_backup_ended_between_what_it_says_and_where_its_wal_was() {
        let day = 24;
        let said = |text: &str| Said::parse(&format!("2026-11-{text}"));
        // It began at 8:00 and ended at 9:20, its newest file was of 9:10 and its WAL came at 9:21.
        let none = Evidence {
            modified: at(9, 22),
            written: None,
            began: None,
            stopped: None,
            arrived: None,
        };
        let told = Evidence {
            written: Some((at(-9 * day, 0), at(9, 10))),
            began: said("23 08:00:00 UTC"),
            ..none
        };
        let copied = Evidence {
            modified: at(3 * day, 0),
            ..told
        };
        let witnessed = |zone: &str| Evidence {
            stopped: said(zone),
            ..copied
        };
        let cases = [
            ("nothing is known", none, [at(9, 22); 2]),
            ("as it was written", told, [at(9, 10), at(9, 22)]),
            ("copied", copied, [at(9, 10), at(3 * day, 0)]),
            (
                "copied, with its WAL",
                Evidence {
                    arrived: Some(at(9, 21)),
                    ..copied
                },
                [at(9, 10), at(9, 21)],
            ),
            (
                "copied, with a copy of its WAL",
                Evidence {
                    arrived: Some(at(4 * day, 0)),
                    ..copied
                },
                [at(9, 10), at(3 * day, 0)],
            ),
            (
                "WAL from before it began is somebody's error",
                Evidence {
                    arrived: Some(at(-3 * day, 0)),
                    ..copied
                },
                [at(9, 10), at(3 * day, 0)],
            ),
            ("a witness", witnessed("23 09:20:00 UTC"), [at(9, 20); 2]),
            ("in a zone", witnessed("23 14:50:00 +0530"), [at(9, 20); 2]),
            (
                "in a zone that may be any: the first possible holds",
                witnessed("23 10:20:00 CET"),
                [at(9, 20), at(22, 20)],
            ),
            (
                "which the archive makes out",
                Evidence {
                    arrived: Some(at(9, 21)),
                    ..witnessed("23 10:20:00 CET")
                },
                [at(9, 20); 2],
            ),
            (
                "a zone that is not what it is called",
                witnessed("23 02:20:00 UTC"),
                [at(9, 10), at(3 * day, 0)],
            ),
            (
                "put together hours later, and nothing else is known",
                Evidence {
                    written: Some((at(12, 0), at(12, 1))),
                    ..copied
                },
                [at(8, 0), at(3 * day, 0)],
            ),
            (
                "with its WAL",
                Evidence {
                    written: Some((at(12, 0), at(12, 1))),
                    arrived: Some(at(9, 21)),
                    ..copied
                },
                [at(8, 0), at(9, 21)],
            ),
            (
                "put together days later, in a zone that may be any",
                Evidence {
                    began: said("23 09:00:00 CET"),
                    written: Some((at(2 * day, 0), at(2 * day, 1))),
                    ..copied
                },
                [at(9, 0), at(3 * day, 0)],
            ),
            (
                "it took long",
                Evidence {
                    written: Some((at(-9 * day, 0), at(day, 0))),
                    ..copied
                },
                [at(day, 0), at(3 * day, 0)],
            ),
            (
                "a label without times in the manifest",
                Evidence {
                    written: None,
                    ..copied
                },
                [at(8, 0), at(3 * day, 0)],
            ),
            (
                "a file of the future",
                Evidence {
                    written: Some((at(-day, 0), at(10, 0))),
                    ..told
                },
                [at(9, 22); 2],
            ),
        ];
        for (what, evidence, [earliest, latest]) in cases {
            assert_eq!(ended(&evidence), Ended { earliest, latest }, "{what}");
        }
    }

    #[test]
    fn a_copy_of_what_was_shut_down_is_of_that_moment() {
        let mut verdict = Verdict::listed("base backup");
        let of = |verdict: &Verdict| ended(&Evidence::of(verdict, at(9, 0), None));
        let both = |moment| Ended {
            earliest: moment,
            latest: moment,
        };
        assert_eq!(of(&verdict), both(at(9, 0)), "nothing is known");
        verdict.written = Some((at(2, 0), at(2, 0)));
        assert_eq!(of(&verdict), both(at(2, 0)));
        // What a manifest says of the newest file bounds one side alone.
        verdict.proof = Proof::Opened;
        let latest = at(9, 0);
        let earliest = at(2, 0);
        assert_eq!(of(&verdict), Ended { earliest, latest });
    }

    #[test]
    fn an_age_counts_from_the_latest_moment_that_may_be() {
        let of = |hours| Ended {
            earliest: at(0, 0),
            latest: at(hours, 0),
        };
        assert_eq!(of(15).likely(), at(15, 0), "it may have taken long");
        assert_eq!(of(16).likely(), at(0, 0));
    }
}
