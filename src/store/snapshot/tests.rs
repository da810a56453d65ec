//! What is written is read; what is damaged never is.

use proptest::prelude::*;

use super::section::{read_section, write_section};
use super::*;
use crate::sample::{Labels, NAME, STALE, Source, Sources};
use crate::store::Series;

const ENDLESS: Settings = Settings {
    retention: Duration::from_secs(1 << 40),
    max_bytes: 1 << 40,
};

const LATE: Timestamp = Timestamp(1 << 48);

fn labels(number: usize) -> Labels {
    let name = format!("metric_{}", number % 3);
    Labels::new([(NAME, name), ("instance", format!("ü{number}"))])
}

fn sources(number: usize) -> Sources {
    let source = |n: usize| Source::new("rachel", ["", "shop"][n % 2], &format!("collector {n}"));
    (0..number % 3).map(source).collect()
}

/// Appends samples of several series; each step lies `gap` after the one before.
fn fill(store: &Store, steps: &[(usize, i64, f64)]) -> Timestamp {
    let mut at = store
        .statistics(0)
        .newest
        .unwrap_or(Timestamp(1_700_000_000_000));
    for (number, gap, value) in steps {
        at = Timestamp(at.0 + gap);
        store.append(at, &sources(*number), [(labels(*number), *value)]);
        for source in sources(*number).iter() {
            store.succeeded(source, at);
        }
    }
    at
}

fn written(store: &Store) -> Vec<u8> {
    let mut bytes = Vec::new();
    store.write_snapshot(&mut bytes, Timestamp(7)).unwrap();
    bytes
}

fn read_all(bytes: &[u8]) -> Result<Store, SnapshotError> {
    let (store, taken) = Store::read_snapshot(bytes, &ENDLESS, Timestamp(3), LATE)?;
    assert_eq!(taken, Timestamp(7));
    Ok(store)
}

type Contents = Vec<(Labels, Sources, Vec<(Timestamp, u64)>)>;

/// Everything in it, values as their bits, for NaN is not itself.
fn contents(store: &Store) -> Contents {
    let bits = |series: Series| {
        let points = series
            .points
            .iter()
            .map(|(at, value)| (*at, value.to_bits()));
        (series.labels, series.sources, points.collect())
    };
    let all = store.select(&[], Timestamp(i64::MIN), Timestamp(i64::MAX));
    all.into_iter().map(bits).collect()
}

fn step() -> impl Strategy<Value = (usize, i64, f64)> {
    let gap = prop_oneof![Just(15_000i64), 14_998..15_003i64, 0..1i64 << 33];
    let value = prop_oneof![
        any::<u64>().prop_map(f64::from_bits),
        (0..50i64).prop_map(|v| v as f64),
        Just(STALE)
    ];
    (0..7usize, gap, value)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_snapshot_holds_the_store(
        steps in prop::collection::vec(step(), 0..1500),
        more in prop::collection::vec(step(), 0..300),
    ) {
        let store = Store::new(&ENDLESS, Timestamp(3));
        fill(&store, &steps);
        let again = read_all(&written(&store)).unwrap();
        for round in 0..2 {
            prop_assert_eq!(contents(&again), contents(&store));
            prop_assert_eq!(&again.read().successes, &store.read().successes);
            prop_assert_eq!(again.statistics(99), store.statistics(99));
            prop_assert_eq!(again.size().samples, store.size().samples);
            prop_assert_eq!(again.covers_since(), Timestamp(3));
            if round == 0 {
                // Both go on alike.
                fill(&store, &more);
                fill(&again, &more);
            }
        }
    }

    #[test]
    fn what_somebody_made_up_ends_nothing(
        steps in prop::collection::vec(step(), 1..200),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let store = Store::new(&ENDLESS, Timestamp(3));
        fill(&store, &steps);
        for kind in [b'H', b'S', b'L', b'E'] {
            let made_up = changed(&written(&store), kind, &changes);
            // All checksums are right, so that it may pass; but then it can be used.
            if let Ok((store, _)) = Store::read_snapshot(made_up.as_slice(), &ENDLESS, Timestamp(3), LATE) {
                let newest = fill(&store, &steps);
                contents(&store);
                store.latest(&[], Timestamp(0), Timestamp(newest.0 / 2));
                written(&store);
            }
        }
    }
}

/// The snapshot with bytes changed in its sections of one kind, and the checksums to match.
fn changed(bytes: &[u8], wanted: u8, changes: &[(prop::sample::Index, u8)]) -> Vec<u8> {
    let (start, mut rest) = bytes.split_at(12);
    let (mut made_up, mut payload) = (start.to_vec(), Vec::new());
    while !rest.is_empty() {
        let kind = read_section(&mut rest, &mut payload).unwrap();
        if kind == wanted && !payload.is_empty() {
            for (place, byte) in changes {
                let place = place.index(payload.len());
                payload[place] = *byte;
            }
        }
        write_section(&mut made_up, kind, &payload).unwrap();
    }
    made_up
}

#[test]
fn any_damage_is_noticed() {
    let store = Store::new(&ENDLESS, Timestamp(3));
    let steps: Vec<(usize, i64, f64)> = (0..300).map(|n| (n % 4, 15_000, n as f64)).collect();
    fill(&store, &steps);
    let whole = written(&store);
    assert!(read_all(&whole).is_ok());
    for place in 0..whole.len() {
        assert!(read_all(&whole[..place]).is_err(), "cut at {place}");
        let mut flipped = whole.clone();
        for bit in 0..8 {
            flipped[place] = whole[place] ^ 1 << bit;
            assert!(read_all(&flipped).is_err(), "bit {bit} at {place}");
        }
    }
    let longer = [whole.as_slice(), b"\n"].concat();
    assert!(read_all(&longer).is_err());
}

#[test]
fn it_is_said_what_is_wrong() {
    let whole = written(&Store::new(&ENDLESS, Timestamp(3)));
    let with = |place: usize, byte: u8| {
        let mut bytes = whole.clone();
        bytes[place] = byte;
        bytes
    };
    let cases = [
        (b"".to_vec(), "is damaged: it ends too early"),
        (b"[Unit]\nDescription=x".to_vec(), "is no snapshot"),
        (
            with(8, 2),
            "was written by another version of pgvigil, in format 2",
        ),
        (with(20, 9), "is damaged: a checksum is wrong"),
        (
            whole[..whole.len() - 1].to_vec(),
            "is damaged: it ends too early",
        ),
        (
            [whole.as_slice(), b"!"].concat(),
            "is damaged: something follows its end",
        ),
    ];
    for (bytes, expected) in cases {
        let error = read_all(&bytes).map(|_| ()).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

/// Series with a sample a minute for ten hours.
fn ten_hours(series: usize) -> (Vec<u8>, Timestamp) {
    let store = Store::new(&ENDLESS, Timestamp(0));
    for minute in 1..=600 {
        let samples = (0..series).map(|n| (labels(n), (minute * n as i64) as f64));
        store.append(Timestamp(minute * 60_000), &sources(1), samples);
    }
    let (mut bytes, end) = (Vec::new(), Timestamp(600 * 60_000));
    store.write_snapshot(&mut bytes, end).unwrap();
    (bytes, end)
}

#[test]
fn a_start_takes_over_what_its_bounds_allow() {
    let (bytes, end) = ten_hours(10);
    let read = |settings: &Settings, now| {
        let (store, _) = Store::read_snapshot(bytes.as_slice(), settings, now, now).unwrap();
        assert_eq!(store.covers_since(), now, "the time before was not seen");
        store
    };
    let all = read(&ENDLESS, end).size();
    assert_eq!(all.samples, 6000);
    let hours = |hours: u64| Settings {
        retention: Duration::from_secs(hours * 3600),
        ..ENDLESS
    };
    assert_eq!(read(&hours(5), end).size().samples, 3600, "whole chunks");
    assert_eq!(
        read(&hours(24), end + Duration::from_secs(16 * 3600 + 60))
            .size()
            .samples,
        4800
    );
    assert_eq!(
        read(&hours(1), end + Duration::from_secs(7200))
            .size()
            .series,
        0
    );
}

#[test]
fn a_start_takes_no_more_room_than_it_may() {
    let (bytes, end) = ten_hours(300);
    let read = |settings: &Settings| {
        let (store, _) = Store::read_snapshot(bytes.as_slice(), settings, end, end).unwrap();
        store.size()
    };
    let all = read(&ENDLESS);
    assert_eq!((all.series, all.samples), (300, 180_000));
    let small = Settings {
        max_bytes: all.bytes as u64 * 3 / 4,
        ..ENDLESS
    };
    let size = read(&small);
    assert!(
        size.bytes as u64 <= small.max_bytes && size.samples > 72_000,
        "{size:?} of {all:?}"
    );
    assert_eq!(size.series, 300);
    // What is current stays; of series that do not fit, some are left out.
    let tiny = Settings {
        max_bytes: all.bytes as u64 / 5,
        ..ENDLESS
    };
    let size = read(&tiny);
    assert!(
        size.series > 50 && size.series < 300 && size.samples == size.series * 120,
        "{size:?} of {all:?}"
    );
}

#[test]
fn a_clock_that_was_set_back_keeps_no_sample_away() {
    let (bytes, end) = ten_hours(10);
    let now = end.before(Duration::from_secs(90 * 60));
    let (store, _) = Store::read_snapshot(bytes.as_slice(), &ENDLESS, now, now).unwrap();
    assert_eq!(store.size().samples, 5100);
    assert_eq!(store.statistics(0).newest, Some(now));
    let next = now + Duration::from_secs(15);
    store.append(next, &sources(1), (0..10).map(|n| (labels(n), 1.0)));
    assert_eq!(store.size().refused.total(), 0);
    assert_eq!(store.size().samples, 5110);
    store.succeeded(&Source::new("late", "", "x"), end);
    let later = written(&store);
    let (store, _) = Store::read_snapshot(later.as_slice(), &ENDLESS, now, now).unwrap();
    assert_eq!(store.last_success(&Source::new("late", "", "x")), None);
}

#[test]
fn series_that_come_and_go_while_it_is_written_shift_nothing() {
    let settings = Settings {
        retention: Duration::from_secs(3600),
        ..ENDLESS
    };
    let store = Store::new(&settings, Timestamp(0));
    let all = |numbers: std::ops::Range<usize>| numbers.map(|n| (labels(n), 1.0));
    store.append(Timestamp(0), &sources(1), all(0..3000));
    store.append(Timestamp(4_000_000), &sources(1), all(2000..3000));
    let mut mark = crate::store::shelf::Mark::default();
    let mut seen = Vec::new();
    for turn in 0.. {
        let slice = store.read().shelf.slice(mark);
        if slice.series.is_empty() {
            break;
        }
        mark = slice.end;
        seen.extend(slice.series.into_iter().map(|(labels, _, _)| labels));
        if turn == 0 {
            // The first 2,000 go, which closes their gaps, and others come.
            store.append(Timestamp(4_000_001), &sources(1), all(4000..4100));
        }
    }
    let mut lasting: Vec<Labels> = (2000..3000).chain(4000..4100).map(labels).collect();
    seen.retain(|labels| lasting.contains(labels));
    seen.sort();
    lasting.sort();
    assert_eq!(seen, lasting, "each but once");
}
