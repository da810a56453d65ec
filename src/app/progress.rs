//! How far the rooms have come, for the heartbeat.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::incident::Ledger;
use crate::notify::Tally;
use crate::notify::heartbeat::{Progress, Step};
use crate::rules::{Group, Statuses};
use crate::sample::{Source, Timestamp};
use crate::scrape::{Board, LIVENESS, REPORT, SESSION, Status};

/// A first look at backups may take half of this: a tool may be given that long.
const FIRST_LOOK: Duration = Duration::from_secs(1800);

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
            let Some(name) = part(&status.source) else {
                continue;
            };
            // A watch over backups shows that it lives when its first look has ended.
            let is_looking =
                status.last_attempt.is_none() && status.source.collector.starts_with("backup:");
            let interval = if is_looking {
                FIRST_LOOK
            } else {
                status.interval
            };
            let (last, every) = parts.entry(name).or_insert((None, Duration::MAX));
            *last = (*last).max(status.last_attempt);
            *every = (*every).min(interval);
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

/// What advances with a source. Backups, drills and what could be lost have a task each, which goes on while a folder
/// hangs: that is an alert of its own.
fn part(source: &Source) -> Option<String> {
    let server = &source.server;
    let collector = source.collector.as_ref();
    Some(match (collector, collector.split_once(':')) {
        // What tells about the others advances even when they do not.
        (REPORT | SESSION, _) => return None,
        (LIVENESS, _) => format!("the sign of life of `{server}`"),
        ("exposure", _) => format!("the watch over what `{server}` could lose"),
        (_, Some(("backup", name))) => format!("the watch over the backups `{name}`"),
        (_, Some(("drill", name))) => format!("the restore drills of `{name}`"),
        _ if server.is_empty() => "what pgvigil reads of itself".to_owned(),
        _ => format!("the collectors of `{server}`"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
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
    fn groups_and_senders_are_followed_each() {
        let mut rooms = rooms();
        let interval = Duration::from_secs(15);
        let group = |name: &str| Group {
            file: "f.yml".into(),
            name: name.into(),
            interval,
            query_offset: Duration::ZERO,
            limit: 0,
            labels: Default::default(),
            rules: Vec::new(),
        };
        let (first, second) = (group("first"), group("second"));
        rooms.groups = rhythms(&[first.clone(), second]);
        let slot = Timestamp(60_000);
        let due = crate::rules::Due { slot, missed: 0 };
        rooms
            .statuses
            .evaluated(&first, due, Duration::ZERO, Vec::new());
        let steps = rooms.progress().evaluating;
        assert_eq!(steps[0].name, "the rule group `first` of `f.yml`");
        assert_eq!(
            (steps[0].last, steps[0].due),
            (Some(slot), Timestamp(90_000))
        );
        assert_eq!((steps[1].last, steps[1].due), (None, Timestamp(30_000)));
        assert!(rooms.progress().logged);
        assert_eq!(rooms.progress().delivering, []);
    }

    #[test]
    fn a_server_that_is_down_is_collected_from() {
        let rooms = rooms();
        let second = Duration::from_secs(1);
        let (alive, quick) = (
            Source::new("rachel", "", LIVENESS),
            Source::new("rachel", "", "activity"),
        );
        rooms.board.declare(&alive, 5 * second, 1);
        rooms.board.declare(&quick, 15 * second, 3);
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
    }

    #[test]
    fn what_watches_backups_is_followed_each_by_itself() {
        let rooms = rooms();
        let source = |collector: &str| Source::new("rachel", "", collector);
        let collectors = ["activity", "backup:nightly", "drill:nightly", "exposure"];
        let minute = Duration::from_secs(60);
        for collector in collectors {
            rooms.board.declare(&source(collector), minute, 3);
        }
        let due = || -> Vec<(String, i64)> {
            let steps = rooms.progress().collecting.into_iter();
            steps.map(|step| (step.name, step.due.0 / 1000)).collect()
        };
        let expected = |backups: i64, others: i64| {
            [
                ("the collectors of `rachel`", 720),
                ("the restore drills of `nightly`", others),
                ("the watch over the backups `nightly`", backups),
                ("the watch over what `rachel` could lose", others),
            ]
            .map(|(name, due)| (name.to_owned(), due))
        };
        let publish = |collector: &str, at: i64| {
            let at = Timestamp(at * 1000);
            rooms
                .board
                .publish(&source(collector), at, Duration::ZERO, Vec::new(), 0);
        };
        publish("activity", 600);
        assert_eq!(due(), expected(3600, 120), "the first look may take long");
        for collector in &collectors[1..] {
            publish(collector, 200);
        }
        assert_eq!(due(), expected(320, 320));
    }
}
