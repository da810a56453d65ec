//! How long rules take over a store as large as the defaults allow; a debug build is some ten times slower than what
//! users run.

use std::time::{Duration, Instant};

use pgvigil::promql::{self, Query, Value};
use pgvigil::sample::{Labels, NAME, Timestamp};

use super::{empty_store, sources};

#[test]
fn twenty_thousand_series_are_evaluated_in_no_time() {
    let store = empty_store();
    let labels: Vec<Labels> = (0..20_000)
        .map(|n: usize| {
            Labels::new([
                (NAME, format!("pg_metric_{}", n % 20)),
                ("instance", "rachel".into()),
                ("job", "pgvigil".into()),
                ("relname", format!("table_{n}")),
            ])
        })
        .collect();
    for cycle in 0..40 {
        let at = Timestamp(cycle * 15_000);
        let samples = labels.iter().map(|labels| (labels.clone(), cycle as f64));
        store.append(at, &sources(), samples);
    }
    let at = Timestamp(39 * 15_000);
    let cases = [
        ("pg_metric_7", 1000),
        ("pg_metric_7 > 100", 0),
        ("sum by (instance) (pg_metric_7) > 0", 1),
        ("rate(pg_metric_7[5m]) > 0", 1000),
        ("pg_metric_7 / on (relname) pg_metric_7", 1000),
        ("{job=\"pgvigil\"}", 20_000),
    ];
    for (text, count) in cases {
        let query = Query::parse(text).unwrap();
        let started = Instant::now();
        let value = promql::instant(&query, &store, at).unwrap();
        let took = started.elapsed();
        println!("{text}: {took:?}");
        assert!(matches!(value, Value::Vector(elements) if elements.len() == count));
        assert!(took < Duration::from_secs(2), "{text} took {took:?}");
    }
}
