//! What a query says of itself, and what its results rest on.

use std::time::Duration;

use super::{Query, Value, instant};
use crate::sample::{Labels, NAME, Source, Sources, Timestamp};
use crate::store::{Settings, Store};

fn query(text: &str) -> Query {
    Query::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn a_query_knows_what_it_reads() {
    let cases = [
        ("1", vec![], 0),
        ("b + a + on () a", vec!["a", "b"], 0),
        ("{__name__=\"a\"} or {__name__=~\"b\"}", vec!["a"], 0),
        ("rate(a[5m] offset 1h) > b offset -1h", vec!["a", "b"], 3900),
        (
            "max_over_time(rate(a[5m])[1h:] offset 1d)",
            vec!["a"],
            90300,
        ),
        ("topk(scalar(b offset 2m), a)", vec!["a", "b"], 120),
    ];
    for (text, metrics, seconds) in cases {
        let query = query(text);
        assert_eq!(query.metrics(), metrics, "{text}");
        assert_eq!(
            query.longest_range(),
            Duration::from_secs(seconds),
            "{text}"
        );
        assert_eq!(query.text(), text);
    }
    let changed = query("sum(a) / sum(b) > 0.8").with_threshold(0.9);
    assert_eq!(
        changed.map(|query| query.text().to_owned()).as_deref(),
        Some("sum(a) / sum(b) > 0.9")
    );
    assert!(query("absent(a)").with_threshold(1.0).is_none());
}

/// A store of four series, each of one sample at 1 s, each from a source named as the metric.
fn store() -> Store {
    let settings = Settings {
        retention: Duration::from_secs(3600),
        max_bytes: 1 << 20,
    };
    let store = Store::new(&settings, Timestamp(0));
    for (name, server) in [("a", "x"), ("b", "x"), ("b", "y"), ("c", "y")] {
        let labels = Labels::new([(NAME, name), ("server", server)]);
        let sources = Sources::one(Source::new(server, "", name));
        store.append(Timestamp(1000), &sources, [(labels, 1.0)]);
    }
    store
}

#[test]
fn every_element_names_the_sources_of_all_it_was_computed_from() {
    let store = store();
    let cases = [
        ("a", "x/a"),
        ("a + 1", "x/a"),
        ("a / on (server) b", "x/a x/b"),
        ("a > scalar(c)", ""),
        ("a >= scalar(c)", "x/a y/c"),
        ("sum(b)", "x/b y/b"),
        ("a and on (server) b", "x/a x/b"),
        ("a unless on (server) c", "x/a"),
        ("c or a", "y/c; x/a"),
        ("max_over_time((a + on () c)[5m:1s])", "x/a y/c"),
        ("rate(a[5m])", ""),
        ("count_over_time(a[5m]) * scalar(c)", "x/a y/c"),
        ("topk(1, a)", "x/a"),
        ("vector(scalar(c))", "y/c"),
        ("absent(d)", "-"),
        ("clamp_max(a, scalar(c))", "x/a y/c"),
    ];
    for (text, expected) in cases {
        let value = instant(&query(text), &store, Timestamp(2000));
        let Ok(Value::Vector(elements)) = value else {
            panic!("{text}: {value:?}");
        };
        let named = elements.iter().map(|element| {
            let names: Vec<String> = element.sources.iter().map(Source::to_string).collect();
            if names.is_empty() {
                "-".into()
            } else {
                names.join(" ")
            }
        });
        assert_eq!(named.collect::<Vec<_>>().join("; "), expected, "{text}");
    }
}

#[test]
fn what_is_compared_is_there_also_while_it_does_not_hold() {
    let cases = [
        ("a > 5", "a"),
        ("5 < a", "a"),
        ("sum(a) / b >= 0.8 and on () c > 1", "sum(a) / b"),
        ("(a - b) * 2 > bool 1 unless c", "(a - b) * 2"),
        ("a > 1 or b > 1", "a > 1 or b > 1"),
        ("absent(a)", "absent(a)"),
    ];
    for (text, expected) in cases {
        let compared = Query::parse(text).unwrap().compared().unwrap();
        let expected = Query::parse(expected).unwrap();
        assert_eq!(
            format!("{:?}", compared.expr),
            format!("{:?}", expected.expr),
            "{text}"
        );
    }
}
