//! Expressions: parsed, laid out, and evaluated over a small store.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use pgvigil::promql::{self, Limits, Moments, Query};
use pgvigil::sample::{Labels, NAME, STALE, Source, Sources, Timestamp};
use pgvigil::store::{Settings, Store};

const SAMPLES: usize = 100_000;
/// How long an evaluation may go on.
const TIME: Duration = Duration::from_secs(1);
/// By when it has noticed, on a busy machine too.
const NOTICED: Duration = Duration::from_secs(8);

/// Takes the bytes as the text of an expression.
pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let _ = promql::selector(text);
    let Ok(query) = Query::parse(text) else {
        return;
    };
    let (_, _, _) = (query.pretty(), query.longest_range(), query.metrics());
    let normal = query.normal();
    let again = Query::parse(&normal).map(|again| again.normal());
    assert_eq!(again.as_ref(), Ok(&normal), "the normal form of {text}");
    for moments in [
        Moments::At(Timestamp(600_000)),
        Moments::Range {
            start: Timestamp(0),
            end: Timestamp(900_000),
            step: Duration::from_secs(30),
        },
    ] {
        evaluate(&query, moments);
    }
}

fn evaluate(query: &Query, moments: Moments) {
    let begun = Instant::now();
    let limits = Limits {
        max_samples: SAMPLES,
        stopped: &|| begun.elapsed() > TIME,
        ..Limits::default()
    };
    let _ = promql::evaluate(query, store(), moments, &limits);
    let took = begun.elapsed();
    assert!(took < NOTICED, "{took:?} for {}", query.text());
}

/// Counters, gauges with odd values, buckets, and series that end.
fn store() -> &'static Store {
    static STORE: OnceLock<Store> = OnceLock::new();
    STORE.get_or_init(|| {
        let settings = Settings {
            retention: Duration::from_secs(86_400),
            max_bytes: 64 << 20,
        };
        let store = Store::new(&settings, Timestamp(0));
        let sources = Sources::one(Source::new("fuzz", "", "fuzz"));
        let odd = [f64::NAN, f64::INFINITY, -0.0, 5e-324, 1e308, STALE, 3.0];
        for cycle in 0..40 {
            let samples = (0..12).map(|n: usize| {
                let (name, le) = [
                    ("a", ""),
                    ("b", ""),
                    ("c_total", ""),
                    ("d_bucket", "1"),
                    ("d_bucket", "+Inf"),
                ][n % 5];
                let labels = [(NAME, name), ("le", le), ("n", ["x", "y", "z"][n % 3])];
                let value = match name {
                    "b" => odd[(cycle + n) % odd.len()],
                    _ => (cycle * (n + 1) % 37) as f64,
                };
                (Labels::new(labels), value)
            });
            store.append(Timestamp(cycle as i64 * 15_000), &sources, samples);
        }
        store
    })
}
