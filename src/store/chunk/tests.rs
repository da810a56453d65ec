use proptest::prelude::*;

use super::*;
use crate::sample::STALE;

fn value() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<u64>().prop_map(f64::from_bits),
        (-1000i64..1000).prop_map(|whole| whole as f64),
        Just(STALE),
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(f64::NEG_INFINITY),
        Just(-0.0),
    ]
}

fn gap() -> impl Strategy<Value = i64> {
    prop_oneof![
        Just(15_000),
        14_990i64..15_010,
        1i64..100_000_000,
        1i64..1 << 55
    ]
}

proptest! {
    #[test]
    fn what_goes_in_comes_out(start in -(1i64 << 60)..1 << 60, steps in prop::collection::vec((gap(), value()), 1..119), first in value()) {
        let mut head = Head::new(Timestamp(start), first);
        let mut expected = vec![(start, first.to_bits())];
        let mut at = start;
        for (gap, value) in steps {
            at += gap;
            head.push(Timestamp(at), value);
            expected.push((at, value.to_bits()));
        }
        let read = |samples: Samples<'_>| samples.map(|(at, value)| (at.0, value.to_bits())).collect::<Vec<_>>();
        prop_assert_eq!(&read(head.iter()), &expected);
        let mut arena = Arena::default();
        let chunk = head.close(&mut arena, Timestamp(at + 1), 0.0);
        prop_assert_eq!(&read(chunk.iter(&arena)), &expected);
        prop_assert!(Chunk::lengths(chunk.count).contains(&chunk.spot.len()));
    }
}

/// Bytes per sample of 120 samples read every 15 s, a few milliseconds early or late.
fn bytes_per_sample(value: impl Fn(i64) -> f64) -> f64 {
    let mut head = Head::new(Timestamp(0), value(0));
    for step in 1..120i64 {
        head.push(Timestamp(step * 15_000 + step * 7 % 5), value(step));
    }
    head.len() as f64 / 120.0
}

#[test]
fn few_bytes_hold_a_sample() {
    type Case = (&'static str, f64, fn(i64) -> f64);
    let cases: [Case; 4] = [
        ("a setting", 1.5, |_| 100.0),
        ("a count of connections", 2.7, |step| {
            (7 + step % 3 - step % 2) as f64
        }),
        ("a busy counter", 4.6, |step| {
            (1_000_000 + step * 1237 + step % 11) as f64
        }),
        ("a ratio", 9.0, |step| 0.99 + (step % 7) as f64 / 1000.0),
    ];
    for (what, most, value) in cases {
        let got = bytes_per_sample(value);
        println!("{what}: {got:.2} bytes per sample");
        assert!(got <= most, "{what}: {got}");
    }
}
