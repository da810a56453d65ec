//! A server's life, told event by event, against what an all-knowing observer says of it.

use proptest::prelude::*;

use super::*;

const SEGMENT: u64 = 1000;

/// Something that happens, one second after the other.
#[derive(Debug, Clone, Copy)]
enum Event {
    /// A transaction ends; its last record has so many bytes.
    Commit(u64),
    /// WAL that no transaction needs.
    Other(u64),
    /// The rest of the segment is left empty.
    Switch,
    /// So many of the complete segments that wait are archived.
    Archive(u64),
    Read,
}

/// What everybody knows, and what only the observer does.
#[derive(Default)]
struct World {
    now: i64,
    position: u64,
    archived: u64,
    /// When each transaction ended, and where its last record ends.
    ended: Vec<(i64, u64)>,
    clock: Clock,
    last_read: Option<i64>,
    longest_gap: i64,
}

impl World {
    fn live(&mut self, event: Event) {
        self.now += 1;
        match event {
            Event::Commit(bytes) => {
                self.position += bytes;
                self.ended.push((self.now, self.position));
            }
            Event::Other(bytes) => self.position += bytes,
            Event::Switch => self.position = self.position.next_multiple_of(SEGMENT),
            Event::Archive(segments) => {
                let complete = self.position / SEGMENT * SEGMENT;
                self.archived = complete.min(self.archived + segments * SEGMENT);
            }
            Event::Read => self.read(),
        }
    }

    fn read(&mut self) {
        let gap = self.now - self.last_read.unwrap_or(self.now);
        self.longest_gap = self.longest_gap.max(gap);
        self.last_read = Some(self.now);
        self.clock.note(Reading {
            at: Timestamp(self.now),
            seen: Timestamp(self.now),
            position: self.position,
            fingerprint: self.ended.len() as u64,
        });
    }

    /// The age of the oldest transaction that would be lost.
    fn truth(&self) -> i64 {
        let lost = self.ended.iter().find(|(_, end)| *end > self.archived);
        lost.map_or(0, |(at, _)| self.now - at)
    }

    /// What the clock says right after a reading: seconds at most, seconds at least, and whether that is exact.
    fn said(&self) -> (Option<i64>, i64, bool) {
        let now = Timestamp(self.now);
        let exposure = self.clock.exposure(self.archived, None, now, true).unwrap();
        let ago = |at: Timestamp| self.now - at.0;
        (
            exposure.safe_until.map(ago),
            exposure.lost_since.map_or(0, ago),
            exposure.is_exact,
        )
    }
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        2 => (1..900u64).prop_map(Event::Commit),
        2 => (1..900u64).prop_map(Event::Other),
        1 => Just(Event::Switch),
        2 => (1..4u64).prop_map(Event::Archive),
        4 => Just(Event::Read),
    ]
}

fn check(events: &[Event], forgets: bool) -> Result<(), TestCaseError> {
    let mut world = World::default();
    for event in events {
        world.live(*event);
        if !matches!(event, Event::Read) {
            continue;
        }
        let (truth, (most, least, is_exact)) = (world.truth(), world.said());
        prop_assert!(most.is_none_or(|most| most >= truth), "{most:?} < {truth}");
        prop_assert!(least <= truth, "{least} > {truth}");
        if is_exact {
            let most = most.unwrap();
            prop_assert!(
                most <= truth + world.longest_gap,
                "{most} > {truth} + a gap"
            );
            prop_assert!(truth > 0 || most == 0, "{most} while nothing is exposed");
        }
        if forgets {
            world.clock.forget_before(world.archived);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]
    #[test]
    fn it_never_says_too_little_and_what_is_exact_is(events in prop::collection::vec(event(), 1..120)) {
        check(&events, false)?;
        check(&events, true)?;
    }

    #[test]
    fn what_was_forgotten_was_not_needed(events in prop::collection::vec(event(), 1..120)) {
        let (mut all, mut some) = (World::default(), World::default());
        for event in events {
            all.live(event);
            some.live(event);
            if matches!(event, Event::Read) {
                prop_assert_eq!(all.said(), some.said());
                some.clock.forget_before(some.archived);
            }
        }
    }
}

/// Events in words: `c100` a transaction, `o100` other WAL, `s` a switch, `a1` an archived segment, `r` a reading. Gives
/// what is said after each reading, as `least..most`, with `?` where it is not exact.
fn told(events: &str) -> String {
    let mut world = World::default();
    let mut said = Vec::new();
    for word in events.split(' ') {
        let (kind, number) = word.split_at(1);
        let number = number.parse().unwrap_or(1);
        world.live(match kind {
            "c" => Event::Commit(number),
            "o" => Event::Other(number),
            "s" => Event::Switch,
            "a" => Event::Archive(number),
            _ => Event::Read,
        });
        if kind == "r" {
            let (most, least, is_exact) = world.said();
            let most = most.map_or("unknown".to_owned(), |most| most.to_string());
            said.push(format!(
                "{least}..{most}{}",
                if is_exact { "" } else { "?" }
            ));
        }
    }
    said.join(" ")
}

#[test]
fn what_is_said_in_each_state() {
    let cases = [
        // Nothing was ever archived, and nothing is known of the time before.
        ("c10 r r r", "0..unknown? 0..unknown? 0..unknown?"),
        // But what is seen to end is in danger.
        ("c10 r c10 r r", "0..unknown? 0..unknown? 1..unknown?"),
        // Idle, however much WAL the server writes for itself.
        ("c10 s a1 r o10 r o10 r", "0..0 0..0 0..0"),
        // A transaction in a segment that is not full.
        ("s a1 r o10 r c10 r r", "0..0 0..0 0..2 1..3"),
        // It is archived.
        ("s a1 r o10 r c10 r s a1 r", "0..0 0..0 0..2 0..0"),
        // It ended in a segment that was archived, unless it was in the next: none can tell.
        ("s a1 r c10 s o10 a1 r r", "0..0 0..5? 0..6?"),
        // Then another is seen to end behind it.
        ("s a1 r c10 s o10 a1 r c10 r r", "0..0 0..5? 0..7? 1..8?"),
    ];
    for (events, expected) in cases {
        assert_eq!(told(events), expected, "{events}");
    }
}

#[test]
fn a_server_that_is_not_read_may_have_written() {
    let mut clock = Clock::default();
    let reading = |at, position, fingerprint| Reading {
        at: Timestamp(at),
        seen: Timestamp(at + 1),
        position,
        fingerprint,
    };
    clock.note(reading(1, 10, 1));
    let said = |clock: &Clock, now| {
        let exposure = clock.exposure(10, None, Timestamp(now), false).unwrap();
        (exposure.safe_until, exposure.lost_since, exposure.is_exact)
    };
    assert_eq!(said(&clock, 9), (Some(Timestamp(1)), None, false));
    clock.note(reading(2, 20, 2));
    let known = (Some(Timestamp(1)), Some(Timestamp(3)), false);
    assert_eq!(said(&clock, 9), known);
}

#[test]
fn a_server_that_went_back_has_another_history() {
    let mut clock = Clock::default();
    for (at, position) in [(1, 10), (2, 20), (3, 30)] {
        clock.note(Reading {
            at: Timestamp(at),
            seen: Timestamp(at),
            position,
            fingerprint: position,
        });
    }
    // A standby that had got to 25 was promoted, and wrote.
    clock.note(Reading {
        at: Timestamp(4),
        seen: Timestamp(4),
        position: 26,
        fingerprint: 31,
    });
    let exposure = clock.exposure(25, None, Timestamp(9), true).unwrap();
    assert_eq!(exposure.safe_until, Some(Timestamp(2)));
    assert_eq!(exposure.bytes, 1);
}

#[test]
fn what_it_holds_is_bounded_and_stays_true() {
    let mut world = World::default();
    for _ in 0..MOST_RUNS * 2 {
        world.live(Event::Commit(1));
        world.read();
        assert!(world.clock.runs.len() <= MOST_RUNS);
    }
    for archived in [1, 7, 100, 1000, 5000] {
        world.archived = archived;
        let (truth, (most, least, _)) = (world.truth(), world.said());
        let most = most.unwrap();
        assert!(least <= truth && truth <= most, "{archived}");
        assert!(most - least <= 10, "{archived}: {least}..{most}");
    }
}
