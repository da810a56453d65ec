//! How far the rooms have come, for the heartbeat.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::incident::Ledger;
use crate::notify::Tally;
use crate::notify::heartbeat::{Progress, Step};
use crate::rules::{Group, Statuses};
use crate::sample::Timestamp;
use crate::scrape::{Board, LIVENESS, REPORT, SESSION, Status};

/// The rooms whose progress is followed.
pub(super) struct Rooms {
    pub(super) started: Timestamp,
    pub(super) board: Arc<Board>,
    pub(super) statuses: Arc<Statuses>,
    /// Name, file and interval of each group of rules.
    pub(super) groups: Vec<(String, String, Duration)>,
    pub(super) ledger: Arc<Ledger>,
    pub(super) tally: Arc<Tally>,
}

/// What is remembered of the groups that are evaluated.
pub(super) fn rhythms(groups: &[Group]) -> Vec<(String, String, Duration)> {
    let each = groups.iter();
    each.map(|group| {
        (
            group.name.to_string(),
            group.file.to_string(),
            group.interval,
        )
    })
    .collect()
}

impl Rooms {
    /// How far they have come by now.
    pub(super) fn progress(&self) -> Progress {
        Progress {
            collecting: self.collecting(&self.board.statuses()),
            evaluating: self.evaluating(),
            logged: self.ledger.healthy(),
            delivering: self.delivering(),
        }
    }

    /// Of each server its sign of life, and the latest try of any of its collectors: those of a lane take turns, so one
    /// of them alone may be late.
    fn collecting(&self, statuses: &[Status]) -> Vec<Step> {
        let mut parts: BTreeMap<String, (Option<Timestamp>, Duration)> = BTreeMap::new();
        for status in statuses {
            let server = &status.source.server;
            let name = match status.source.collector.as_ref() {
                // What tells about the others advances even when they do not.
                REPORT | SESSION => continue,
                // A folder that hangs is an alert of its own, and no reason to think that nobody watches.
                backup if backup.starts_with("backup:") => continue,
                LIVENESS => format!("the sign of life of `{server}`"),
                _ if server.is_empty() => "what pgvigil reads of itself".to_owned(),
                _ => format!("the collectors of `{server}`"),
            };
            let (last, every) = parts.entry(name).or_insert((None, Duration::MAX));
            *last = (*last).max(status.last_attempt);
            *every = (*every).min(status.interval);
        }
        let each = parts.into_iter();
        each.map(|(name, (last, every))| self.step(name, last, every))
            .collect()
    }

    fn evaluating(&self) -> Vec<Step> {
        let statuses = self.statuses.all();
        let each = self.groups.iter().map(|(name, file, every)| {
            let mut known = statuses.iter();
            let known = known.find(|status| status.group == *name && status.file == *file);
            let last = known.and_then(|status| status.last_evaluation);
            self.step(format!("the rule group `{name}` of `{file}`"), last, *every)
        });
        each.collect()
    }

    fn delivering(&self) -> Vec<Step> {
        let each = self.tally.all().into_iter().map(|(address, status)| Step {
            name: format!("the sender to `{address}`"),
            last: status.last_look,
            due: status.next_look,
        });
        each.collect()
    }

    /// What happens again and again may be left out once.
    fn step(&self, name: String, last: Option<Timestamp>, every: Duration) -> Step {
        Step {
            name,
            last,
            due: last.unwrap_or(self.started) + every.saturating_mul(2),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Source;
    use crate::store::Store;

    fn rooms() -> Rooms {
        let settings = crate::store::Settings {
            retention: Duration::from_secs(3600),
            max_bytes: 1 << 20,
        };
        let store = Arc::new(Store::new(&settings, Timestamp(0)));
        Rooms {
            started: Timestamp(0),
            board: Arc::new(Board::new(store, false)),
            statuses: Arc::default(),
            groups: Vec::new(),
            ledger: Arc::new(Ledger::memory()),
            tally: Arc::default(),
        }
    }

    #[test]
    fn a_server_that_is_down_is_collected_from() {
        let rooms = rooms();
        let second = Duration::from_secs(1);
        let (alive, quick, daily) = (
            Source::new("rachel", "", LIVENESS),
            Source::new("rachel", "", "activity"),
            Source::new("rachel", "", "backup:nightly"),
        );
        rooms.board.declare(&alive, 5 * second, 1);
        rooms.board.declare(&quick, 15 * second, 3);
        rooms.board.declare(&daily, 86_400 * second, 3);
        let due = || -> Vec<i64> {
            let steps = rooms.progress().collecting;
            steps.iter().map(|step| step.due.0 / 1000).collect()
        };
        assert_eq!(due(), [30, 10], "collectors, sign of life");
        let fail = |source, at| {
            rooms
                .board
                .fail(source, Timestamp(at), Duration::ZERO, "down".into());
        };
        fail(&alive, 100_000);
        assert_eq!(due(), [30, 110]);
        fail(&quick, 200_000);
        assert_eq!(due(), [230, 110]);
        rooms
            .board
            .publish(&daily, Timestamp(150_000), Duration::ZERO, Vec::new(), 0);
        assert_eq!(due(), [230, 110], "a backup is no sign of the collectors");
    }
}
