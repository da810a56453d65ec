//! When a group is evaluated: at absolute slots, the same after a restart, spread out by the group's name.

use std::time::Duration;

use crate::sample::{Labels, Timestamp};

use super::Group;

/// A slot that has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// The newest slot, at which to evaluate.
    pub slot: Timestamp,
    /// Slots between the last evaluated one and this one, which are skipped.
    pub missed: u64,
}

/// The first slot after a moment.
pub fn next_slot(group: &Group, after: Timestamp) -> Timestamp {
    newest_slot(group, after) + group.interval
}

/// The slot to evaluate now, when one has come since the last; `last` is the start for a group never evaluated.
pub fn due(group: &Group, last: Timestamp, now: Timestamp) -> Option<Due> {
    let slot = newest_slot(group, now);
    let first = next_slot(group, last);
    (slot >= first).then(|| Due {
        slot,
        missed: (slot.since(first).as_millis() / interval(group).as_millis()) as u64,
    })
}

fn newest_slot(group: &Group, now: Timestamp) -> Timestamp {
    let interval = interval(group).as_millis() as i64;
    let offset = (identity(group) % interval as u64) as i64;
    Timestamp((now.0 - offset).div_euclid(interval) * interval + offset)
}

fn interval(group: &Group) -> Duration {
    group.interval.max(Duration::from_millis(1))
}

fn identity(group: &Group) -> u64 {
    Labels::new([("file", group.file.clone()), ("name", group.name.clone())]).fingerprint()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(name: &str) -> Group {
        Group {
            file: "f.yml".into(),
            name: name.into(),
            interval: Duration::from_secs(15),
            query_offset: Duration::ZERO,
            limit: 0,
            labels: Default::default(),
            rules: Vec::new(),
        }
    }

    #[test]
    fn slots_are_absolute_and_a_full_interval_apart() {
        let group = group("a");
        let start = Timestamp(1_700_000_000_123);
        let first = next_slot(&group, start);
        assert!(first > start && first.since(start) <= group.interval);
        assert_eq!(next_slot(&group, first), first + group.interval);
        let restarted = next_slot(&group, Timestamp(first.0 - 1));
        assert_eq!(restarted, first);
    }

    #[test]
    fn groups_with_equal_intervals_spread_out() {
        let start = Timestamp(1_700_000_000_000);
        assert_ne!(next_slot(&group("a"), start), next_slot(&group("b"), start));
    }

    #[test]
    fn an_evaluation_that_runs_long_skips_to_the_newest_slot() {
        let group = group("a");
        let first = next_slot(&group, Timestamp(1_700_000_000_000));
        let at = |slots: u32, millis: i64| Timestamp((first + group.interval * slots).0 + millis);
        assert_eq!(due(&group, first, at(1, -1)), None);
        assert_eq!(
            due(&group, first, at(1, 0)),
            Some(Due {
                slot: at(1, 0),
                missed: 0
            })
        );
        assert_eq!(
            due(&group, first, at(4, 99)),
            Some(Due {
                slot: at(4, 0),
                missed: 3
            })
        );
    }
}
