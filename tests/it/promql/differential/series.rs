//! Random series of every shape that an expression may meet.

use std::collections::BTreeMap;

use pgvigil::sample::{Labels, NAME, STALE, Timestamp};
use proptest::prelude::RngExt;
use proptest::test_runner::TestRng;

/// The first second, of no round minute, and the last.
pub const START: i64 = 1_600_000_007;
pub const LAST: i64 = START + 2400;

/// Series by their labels, with their samples in order.
pub type AllSeries = BTreeMap<Labels, Vec<(Timestamp, f64)>>;

/// How the values of a series go on.
#[derive(Clone, Copy)]
enum Shape {
    Counter,
    Gauge,
    Small,
    /// NaN, infinities, zeros of both signs, the smallest and the very large.
    Odd,
    Epoch,
    One,
}

/// When a series has samples.
#[derive(Clone, Copy)]
enum Rhythm {
    Even,
    /// Some milliseconds early or late, with gaps and staleness markers.
    Uneven,
    /// Every few minutes.
    Sparse,
    Once,
}

/// Makes the series; the same ones of the same random numbers.
pub fn all(rng: &mut TestRng) -> AllSeries {
    let mut series = AllSeries::new();
    let mut add = |pairs: &[(&str, &str)], shape, rhythm| {
        let labels = Labels::new(pairs.iter().copied());
        series.insert(labels, samples(rng, shape, rhythm));
    };
    for job in ["api", "db"] {
        for instance in ["a", "b", "c"] {
            let of = |name| [(NAME, name), ("job", job), ("instance", instance)];
            add(&of("temperature"), Shape::Gauge, Rhythm::Uneven);
            add(&of("small"), Shape::Small, Rhythm::Even);
            add(&of("odd"), Shape::Odd, Rhythm::Uneven);
            let version = [("version", if instance == "a" { "1" } else { "2" })];
            add(
                &[&of("info")[..], &version].concat(),
                Shape::One,
                Rhythm::Even,
            );
            for code in ["200", "500"] {
                let code = [("code", code)];
                add(
                    &[&of("requests_total")[..], &code].concat(),
                    Shape::Counter,
                    Rhythm::Uneven,
                );
            }
        }
        add(&[(NAME, "epoch"), ("job", job)], Shape::Epoch, Rhythm::Even);
        add(
            &[(NAME, "sparse"), ("job", job)],
            Shape::Gauge,
            Rhythm::Sparse,
        );
        add(&[(NAME, "once"), ("job", job)], Shape::Small, Rhythm::Once);
        add(
            &[(NAME, "größe"), ("job", job), ("län gs", "x")],
            Shape::Gauge,
            Rhythm::Even,
        );
        add(
            &[(NAME, "latency_sum"), ("job", job)],
            Shape::Counter,
            Rhythm::Even,
        );
        for le in ["0.1", "a", "1", "1.0", "10", "-1"] {
            add(
                &[
                    (NAME, "broken_bucket"),
                    ("job", job),
                    ("instance", "a"),
                    ("le", le),
                ],
                Shape::Small,
                Rhythm::Even,
            );
        }
    }
    add(
        &[
            (NAME, "broken_bucket"),
            ("job", "api"),
            ("instance", "b"),
            ("le", "+Inf"),
        ],
        Shape::Odd,
        Rhythm::Even,
    );
    for (job, instance) in [("api", "a"), ("api", "b"), ("db", "a")] {
        let bounds = ["0.05", "0.1", "0.5", "1", "2.5", "5", "+Inf"];
        buckets(rng, ["latency_bucket", job, instance], bounds, &mut series);
    }
    let bounds = ["-10", "-0.5", "0", "0.1", "1", "5", "+Inf"];
    buckets(rng, ["change_bucket", "api", "a"], bounds, &mut series);
    series
}

/// A classic histogram that is right: each bucket holds the ones below it.
fn buckets(
    rng: &mut TestRng,
    [name, job, instance]: [&str; 3],
    bounds: [&str; 7],
    series: &mut AllSeries,
) {
    let times = times(rng, Rhythm::Even);
    let mut counts = [0.0; 7];
    let mut all: Vec<Vec<(Timestamp, f64)>> = vec![Vec::new(); 7];
    for at in times {
        for count in &mut counts {
            *count += rng.random_range(0..4) as f64;
        }
        let mut below = 0.0;
        for (samples, count) in all.iter_mut().zip(counts) {
            below += count;
            samples.push((at, below));
        }
    }
    for (le, samples) in bounds.into_iter().zip(all) {
        let labels = [
            (NAME, name),
            ("job", job),
            ("instance", instance),
            ("le", le),
        ];
        series.insert(Labels::new(labels), samples);
    }
}

fn samples(rng: &mut TestRng, shape: Shape, rhythm: Rhythm) -> Vec<(Timestamp, f64)> {
    let mut value = rng.random_range(0..100) as f64;
    let mut samples = Vec::new();
    let mut ended = false;
    for at in times(rng, rhythm) {
        value = next(rng, shape, value);
        // A marker, and then nothing for a while.
        ended = match ended {
            true => rng.random_range(0..8) > 0,
            false => matches!(rhythm, Rhythm::Uneven) && rng.random_range(0..40) == 0,
        };
        match ended {
            false => samples.push((at, value)),
            true if samples
                .last()
                .is_some_and(|(_, last)| !pgvigil::sample::is_stale(*last)) =>
            {
                samples.push((at, STALE));
            }
            true => {}
        }
    }
    samples
}

fn times(rng: &mut TestRng, rhythm: Rhythm) -> Vec<Timestamp> {
    let (first, last) = (START * 1000, LAST * 1000);
    let mut at = first + rng.random_range(0..15_000);
    let mut times = Vec::new();
    while at <= last {
        times.push(Timestamp(at));
        at += match rhythm {
            Rhythm::Even => 15_000,
            Rhythm::Uneven => rng.random_range(13_000..17_000),
            Rhythm::Sparse => rng.random_range(60_000..400_000),
            Rhythm::Once => last,
        };
    }
    times
}

fn next(rng: &mut TestRng, shape: Shape, value: f64) -> f64 {
    match shape {
        Shape::Counter if rng.random_range(0..50) == 0 => rng.random_range(0..5) as f64,
        Shape::Counter => value + rng.random_range(0..1000) as f64 / 8.0,
        Shape::Gauge => value + rng.random_range(-1000..1000) as f64 / 97.0,
        Shape::Small => rng.random_range(-3..8) as f64,
        Shape::Odd => {
            let odd = [
                f64::NAN,
                f64::INFINITY,
                f64::NEG_INFINITY,
                -0.0,
                0.0,
                2.5e-308,
                1e308,
                -1.5,
                1e-12,
                3.0,
            ];
            odd[rng.random_range(0..odd.len())]
        }
        Shape::Epoch => {
            let epochs = [
                0.0,
                1.7e9,
                951_782_400.5,
                -1.0,
                4e9,
                -6e10,
                1e11,
                86_399.999,
            ];
            epochs[rng.random_range(0..epochs.len())]
        }
        Shape::One => 1.0,
    }
}
