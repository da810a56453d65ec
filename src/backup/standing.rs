//! How a file stands, from one look at its folder to the next: whether it is still being written.

use std::collections::HashMap;
use std::time::Duration;

use super::files::Found;
use super::sighting::{Backup, Kind, Origin, State, Storage};
use super::verdicts::Known;
use super::{Said, Verdict};
use crate::sample::Timestamp;

/// A file, and how it stood at the looks before.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Seen {
    pub(super) found: Found,
    /// Unchanged since the look before, or for longer than a look's rhythm.
    pub(super) is_settled: bool,
    /// When it was first seen unsettled.
    since: Timestamp,
}

impl Seen {
    /// The backup it is, with what reading it showed.
    pub(super) fn backup(&self, known: Option<&Known>) -> Backup {
        let state = match known {
            _ if !self.is_settled => State::Running,
            None => State::Unread,
            Some(known) if known.verdict.is_good() => State::Done,
            Some(_) => State::Damaged,
        };
        let known = known.filter(|_| self.is_settled);
        let finished = match known {
            // A clock that is wrong says that it will be written: it has been read.
            Some(known) => self.found.modified.min(known.judged),
            None if self.is_settled => self.found.modified,
            None => self.since,
        };
        let listed = Backup {
            state,
            bytes: self.found.bytes,
            storage: self.found.storage.clone(),
            ..Backup::listed(&self.found.name, self.found.kind, finished)
        };
        match known {
            Some(known) => judged(listed, &known.verdict),
            None => listed,
        }
    }
}

fn judged(listed: Backup, verdict: &Verdict) -> Backup {
    let of_cluster = verdict.system_identifier.map(Origin::Cluster);
    let of_database = verdict.database.clone().map(Origin::Database);
    let storage = Storage {
        checksum: listed.storage.checksum.or(verdict.checksum.clone()),
        ..listed.storage
    };
    Backup {
        kind: match verdict.kind {
            // What could not be recognised is what it looks like from outside.
            Kind::Dump => listed.kind,
            kind => kind,
        },
        started: verdict.made.or(verdict.began.map(Said::at)),
        bytes: listed.bytes.max(verdict.stored_bytes),
        origin: of_cluster.or(of_database),
        is_globals: verdict.is_globals,
        proof: verdict.proof,
        trouble: verdict.trouble,
        problem: verdict.problem.clone(),
        storage,
        ..listed
    }
}

/// Tells files that are still being written from those that are not, by how they stood at the look before.
pub(super) fn settle(
    before: &[Seen],
    listed: Vec<Found>,
    look: Duration,
    now: Timestamp,
) -> Vec<Seen> {
    let before: HashMap<&str, &Seen> = before
        .iter()
        .map(|seen| (seen.found.name.as_str(), seen))
        .collect();
    let each = listed.into_iter().map(|found| {
        let earlier = before.get(found.name.as_str());
        let is_unchanged = earlier.is_some_and(|seen| seen.found.is_same(&found));
        let is_settled = !found.is_partial && (is_unchanged || found.modified < now.before(look));
        let since = match earlier {
            Some(seen) if !seen.is_settled => seen.since,
            _ if found.is_partial => found.modified.min(now),
            _ => now,
        };
        Seen {
            found,
            is_settled,
            since,
        }
    });
    let mut seen: Vec<Seen> = each.collect();
    seen.sort_by_key(|seen| std::cmp::Reverse(seen.found.modified));
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(name: &str, bytes: u64, modified: i64) -> Found {
        Found {
            name: name.into(),
            version: None,
            storage: Storage::default(),
            kind: Kind::Dump,
            beside: None,
            bytes,
            modified: Timestamp(modified),
            is_partial: name.ends_with(".part"),
        }
    }

    #[test]
    fn a_file_is_settled_once_it_stands_still() {
        let minute = 60_000;
        let look = Duration::from_secs(300);
        let looks = [
            (10, found("a", 1, 9 * minute), false, 10),
            (15, found("a", 2, 14 * minute), false, 10),
            (20, found("a", 2, 14 * minute), true, 10),
            (25, found("a", 3, 24 * minute), false, 25),
            (30, found("a", 3, 90 * minute), false, 25),
            (35, found("a", 3, 90 * minute), true, 25),
        ];
        let mut before = Vec::new();
        for (now, found, is_settled, since) in looks {
            before = settle(&before, vec![found], look, Timestamp(now * minute));
            let expected = (is_settled, Timestamp(since * minute));
            assert_eq!(
                (before[0].is_settled, before[0].since),
                expected,
                "at {now}"
            );
        }
        let old = settle(
            &[],
            vec![found("b", 1, 0), found("b.part", 1, 0)],
            look,
            Timestamp(10 * minute),
        );
        assert_eq!(
            old.iter().map(|seen| seen.is_settled).collect::<Vec<_>>(),
            [true, false]
        );
        assert_eq!(old[1].since, Timestamp(0));
    }
}
