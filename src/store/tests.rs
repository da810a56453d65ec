//! The store against a plain list of samples, and its bounds.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use super::{Matcher, Settings, Store, Test};
use crate::sample::{Labels, NAME, STALE, Source, Sources, Timestamp};

const MINUTE: i64 = 60_000;

fn store(retention: i64, max_bytes: u64) -> Store {
    let retention = Duration::from_millis(retention as u64);
    let settings = Settings {
        retention,
        max_bytes,
    };
    Store::new(&settings, Timestamp(0))
}

fn series(name: &str, instance: &str) -> Labels {
    Labels::new([(NAME, name), ("instance", instance), ("job", "pgvigil")])
}

fn sources(collector: &str) -> Sources {
    Sources::one(Source::new("rachel", "", collector))
}

fn equal(name: &str, value: &str) -> Matcher {
    Matcher {
        name: name.into(),
        test: Test::Equal(value.into()),
    }
}

/// Number and labels of what a matcher finds.
fn found(store: &Store, matchers: &[Matcher]) -> Vec<String> {
    let all = store.select(matchers, Timestamp(i64::MIN), Timestamp(i64::MAX));
    let mut names: Vec<String> = all.iter().map(|found| found.labels.to_string()).collect();
    names.sort();
    names
}

#[test]
fn series_are_found_by_their_labels() {
    let store = store(MINUTE, 1 << 20);
    let samples = [("up", "a"), ("up", "b"), ("pg_up", "a")];
    let samples = samples.map(|(name, instance)| (series(name, instance), 1.0));
    store.append(Timestamp(1), &sources("x"), samples);
    let like =
        |pattern: &str| Test::Like(regex::Regex::new(pattern).unwrap_or_else(|e| panic!("{e}")));
    let on = |name: &str, test: Test| Matcher {
        name: name.into(),
        test,
    };
    let cases = [
        (vec![equal(NAME, "up")], 2),
        (vec![equal(NAME, "up"), equal("instance", "b")], 1),
        (vec![equal(NAME, "down")], 0),
        (vec![on(NAME, like("^.*up$"))], 3),
        (vec![on("instance", Test::NotEqual("a".into()))], 1),
        (vec![equal("cluster", "")], 3),
        (
            vec![on(
                "cluster",
                Test::NotLike(regex::Regex::new("^.+$").unwrap_or_else(|e| panic!("{e}"))),
            )],
            3,
        ),
        (vec![], 3),
    ];
    for (matchers, count) in cases {
        assert_eq!(found(&store, &matchers).len(), count, "{matchers:?}");
    }
}

#[test]
fn spans_are_open_on_the_left_and_the_newest_sources_count() {
    let store = store(60 * MINUTE, 1 << 20);
    for (at, collector) in [(10, "old"), (20, "old"), (30, "new")] {
        store.append(
            Timestamp(at),
            &sources(collector),
            [(series("up", "a"), at as f64)],
        );
    }
    let all = store.select(&[equal(NAME, "up")], Timestamp(10), Timestamp(30));
    assert_eq!(
        all[0].points,
        [(Timestamp(20), 20.0), (Timestamp(30), 30.0)]
    );
    assert_eq!(all[0].sources, sources("new"));
    let latest = |after, until| {
        let found = store.latest(&[equal(NAME, "up")], Timestamp(after), Timestamp(until));
        found.first().map(|latest| latest.value)
    };
    assert_eq!(latest(10, 30), Some(30.0));
    assert_eq!(latest(10, 29), Some(20.0));
    assert_eq!(latest(20, 29), None);
    assert_eq!(latest(30, 100), None);
}

#[test]
fn old_and_repeated_samples_are_refused_and_counted() {
    let store = store(60 * MINUTE, 1 << 20);
    for at in [10, 10, 5, 11] {
        store.append(
            Timestamp(at),
            &sources("x"),
            [(series("up", "a"), at as f64)],
        );
    }
    let size = store.size();
    assert_eq!((size.series, size.samples, size.refused.total()), (1, 2, 2));
}

#[test]
fn age_takes_samples_and_series_away_but_not_the_last_success() {
    let store = store(60 * MINUTE, 1 << 30);
    let source = Source::new("rachel", "", "x");
    store.succeeded(&source, Timestamp(7));
    store.append(Timestamp(0), &sources("x"), [(series("gone", "a"), STALE)]);
    for at in 0..600 {
        store.append(
            Timestamp(at * MINUTE),
            &sources("x"),
            [(series("up", "a"), 1.0)],
        );
    }
    assert_eq!(found(&store, &[]), [r#"up{instance="a", job="pgvigil"}"#]);
    let kept = store.select(&[], Timestamp(i64::MIN), Timestamp(i64::MAX));
    let (oldest, count) = (kept[0].points[0].0, kept[0].points.len());
    assert!((60..=180).contains(&count), "{count} samples");
    assert!(store.covers_since() < oldest);
    assert_eq!(store.covers_since(), Timestamp(oldest.0 - MINUTE));
    assert_eq!(store.last_success(&source), Some(Timestamp(7)));
    let another = Source::new("joey", "", "x");
    assert_eq!(store.last_success(&another), None);
    store.succeeded(&another, Timestamp(600 * MINUTE));
    assert_eq!(store.last_success(&source), None, "it has long been silent");
}

#[test]
fn size_is_bounded_under_churn_and_what_is_current_stays() {
    const MOST: u64 = 1 << 20;
    let store = store(24 * 60 * MINUTE, MOST);
    for step in 0..4 * 60 * 6 {
        let at = Timestamp(step * MINUTE / 4);
        let lasting = (0..50).map(|n| series("lasting", &n.to_string()));
        let passing = (0..50).map(|n| series("passing", &format!("{}-{n}", step / 20)));
        let noisy = |labels| (labels, (step as f64).sqrt());
        store.append(at, &sources("x"), lasting.chain(passing).map(noisy));
        assert!(
            store.size().bytes as u64 <= MOST * 17 / 16,
            "at step {step}"
        );
    }
    let size = store.size();
    assert_eq!(found(&store, &[equal(NAME, "lasting")]).len(), 50);
    assert_eq!(size.refused.total(), 0);
    assert!(store.covers_since() > Timestamp(0));
    println!("{size:?} covering since {:?}", store.covers_since());
}

#[test]
fn new_series_are_refused_when_the_series_alone_fill_the_store() {
    let store = store(24 * 60 * MINUTE, 100_000);
    for step in 0..100 {
        let many = (0..1000).map(|n| (series("many", &n.to_string()), step as f64));
        store.append(Timestamp(step * 15_000), &sources("x"), many);
    }
    let size = store.size();
    assert!(size.refused.total() > 0 && size.bytes < 300_000, "{size:?}");
    let newest = store.latest(&[], Timestamp(98 * 15_000), Timestamp(i64::MAX));
    assert_eq!(newest.len(), size.series);
}

proptest! {
    #[test]
    fn what_was_appended_is_selected(
        samples in prop::collection::vec((0..3usize, 0..2000i64, any::<u64>()), 0..600),
        after in -10..2000i64,
        length in 0..2000i64,
    ) {
        let store = store(1 << 40, 1 << 40);
        let mut model: BTreeMap<Labels, Vec<(Timestamp, u64)>> = BTreeMap::new();
        for (place, at, bits) in samples {
            let labels = series("up", ["a", "b", "c"][place]);
            store.append(Timestamp(at), &sources("x"), [(labels.clone(), f64::from_bits(bits))]);
            let known = model.entry(labels).or_default();
            if known.last().is_none_or(|(newest, _)| newest.0 < at) {
                known.push((Timestamp(at), bits));
            }
        }
        let (after, until) = (Timestamp(after), Timestamp(after + length));
        let got: BTreeMap<Labels, Vec<(Timestamp, u64)>> = store
            .select(&[], after, until)
            .into_iter()
            .map(|found| (found.labels, found.points.iter().map(|(at, v)| (*at, v.to_bits())).collect()))
            .collect();
        model.values_mut().for_each(|points| points.retain(|(at, _)| *at > after && *at <= until));
        model.retain(|_, points| !points.is_empty());
        prop_assert_eq!(&got, &model);
        for latest in store.latest(&[], after, until) {
            let expected = model[&latest.labels].last().copied();
            prop_assert_eq!(Some((latest.at, latest.value.to_bits())), expected);
        }
    }
}
