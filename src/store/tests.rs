//! The store against a plain list of samples, and its bounds.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use super::{Matcher, Place, Ranking, Refused, Settings, Statistics, Store, Test};
use crate::sample::{Labels, NAME, STALE, Source, Sources, Timestamp};

const MINUTE: i64 = 60_000;

fn settings(retention: i64, max_bytes: u64) -> Settings {
    let retention = Duration::from_millis(retention as u64);
    Settings {
        retention,
        max_bytes,
    }
}

fn store(retention: i64, max_bytes: u64) -> Store {
    Store::new(&settings(retention, max_bytes), Timestamp(0))
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
fn what_is_not_newer_is_refused_and_counted_by_reason() {
    let store = store(60 * MINUTE, 1 << 20);
    for (at, value) in [
        (10, 1.0),
        (10, 1.0),
        (10, 2.0),
        (5, 1.0),
        (11, f64::NAN),
        (11, f64::NAN),
    ] {
        store.append(Timestamp(at), &sources("x"), [(series("up", "a"), value)]);
    }
    let size = store.size();
    let refused = Refused {
        out_of_order: 1,
        duplicate: 1,
        no_room: 0,
    };
    assert_eq!((size.series, size.samples, size.refused), (1, 2, refused));
    assert_eq!((size.created, size.removed), (1, 0));
}

#[test]
fn labels_are_listed_with_and_without_conditions() {
    let store = store(60 * MINUTE, 1 << 20);
    let old = [(series("old", "a"), 1.0)];
    store.append(Timestamp(1), &sources("x"), old);
    let new = [
        series("up", "b"),
        series("up", "a"),
        Labels::new([(NAME, "bare")]),
    ];
    store.append(
        Timestamp(10),
        &sources("x"),
        new.map(|labels| (labels, 1.0)),
    );
    let texts = |found: Vec<std::sync::Arc<str>>| found.join(" ");
    let names = |matchers: &[Matcher], after| {
        texts(store.label_names(matchers, Timestamp(after), Timestamp(20)))
    };
    let values = |name, matchers: &[Matcher], after| {
        texts(store.label_values(name, matchers, Timestamp(after), Timestamp(20)))
    };
    assert_eq!(names(&[], 0), "__name__ instance job");
    assert_eq!(names(&[equal(NAME, "bare")], 0), "__name__");
    assert_eq!(names(&[equal(NAME, "old")], 5), "");
    assert_eq!(values(NAME, &[], 0), "bare old up");
    assert_eq!(values(NAME, &[], 5), "bare up");
    assert_eq!(values("instance", &[equal(NAME, "up")], 0), "a b");
    assert_eq!(values("instance", &[equal(NAME, "bare")], 0), "");
    assert_eq!(values("none", &[], 0), "");
}

#[test]
fn statistics_rank_what_is_held() {
    let store = store(60 * MINUTE, 1 << 20);
    assert_eq!(store.statistics(10), Statistics::default());
    let many = (0..3).map(|n| series("up", &format!("{n}")));
    let samples = many
        .chain([series("pg_up", "0")])
        .map(|labels| (labels, 1.0));
    let samples: Vec<(Labels, f64)> = samples.collect();
    for at in 0..130 {
        store.append(Timestamp(at), &sources("x"), samples.clone());
    }
    let ranking = |ranked: &[(&str, u64)]| -> Ranking {
        let ranked = ranked.iter();
        ranked
            .map(|(text, count)| ((*text).to_owned(), *count))
            .collect()
    };
    let expected = Statistics {
        series: 4,
        label_pairs: 6,
        chunks: 8,
        oldest: Some(Timestamp(0)),
        newest: Some(Timestamp(129)),
        series_by_metric: ranking(&[("up", 3), ("pg_up", 1)]),
        values_by_label: ranking(&[("instance", 3), (NAME, 2)]),
        bytes_by_label: ranking(&[(NAME, 3 * 12 + 15), ("job", 4 * 12)]),
        series_by_pair: ranking(&[("job=pgvigil", 4), ("__name__=up", 3)]),
    };
    assert_eq!(store.statistics(2), expected);
}

#[test]
fn gaps_that_are_closed_move_no_sample() {
    let store = store(60 * MINUTE, 1 << 30);
    let mut places = vec![Place::default(); 4000];
    let append = |at, places: &mut [Place], first: usize| {
        let places = places.iter_mut().enumerate().skip(first);
        let samples =
            places.map(|(n, place)| (place, move || series("up", &n.to_string()), n as f64));
        store.append_at(Timestamp(at), &sources("x"), samples);
    };
    append(0, &mut places, 0);
    append(1, &mut places, 3000);
    append(61 * MINUTE, &mut places, 3000);
    let size = store.size();
    assert_eq!(
        (size.series, size.created, size.removed),
        (1000, 4000, 3000)
    );
    append(61 * MINUTE + 1, &mut places, 2999);
    let all = store.select(&[], Timestamp(i64::MIN), Timestamp(i64::MAX));
    assert_eq!(all.len(), 1001);
    for found in all {
        let number: f64 = found.labels.get("instance").parse().unwrap();
        assert!(found.points.iter().all(|(_, value)| *value == number));
        let alone = store.select(
            &[equal("instance", found.labels.get("instance"))],
            Timestamp(i64::MIN),
            Timestamp(i64::MAX),
        );
        assert_eq!(alone, [found]);
    }
}

#[test]
fn other_bounds_keep_what_they_allow() {
    let store = store(600 * MINUTE, 1 << 30);
    for at in 0..600 {
        let labels = [(series("up", "a"), at as f64)];
        store.append(Timestamp(at * MINUTE), &sources("x"), labels);
    }
    let kept = || {
        let all = store.select(&[], Timestamp(i64::MIN), Timestamp(i64::MAX));
        (all[0].points.len(), all[0].points.last().copied())
    };
    let newest = Some((Timestamp(599 * MINUTE), 599.0));
    let now = Timestamp(600 * MINUTE);
    store.configure(&settings(700 * MINUTE, 1 << 30), now);
    assert_eq!(kept(), (600, newest));
    store.configure(&settings(200 * MINUTE, 1 << 30), now);
    assert_eq!(kept(), (240, newest));
    assert_eq!(store.covers_since(), Timestamp(359 * MINUTE));
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
fn what_is_told_of_pgvigil_itself_is_taken_also_when_the_store_is_full() {
    let store = store(24 * 60 * MINUTE, 100_000);
    let many = (0..1000).map(|n| (series("many", &n.to_string()), 1.0));
    store.append(Timestamp(0), &sources("x"), many);
    assert!(store.size().refused.no_room > 0);
    let own = Sources::one(Source::new("", "", "pgvigil"));
    store.append(Timestamp(1), &own, [(series("own", "pgvigil"), 1.0)]);
    assert_eq!(found(&store, &[equal(NAME, "own")]).len(), 1);
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

    #[test]
    fn matchers_find_what_meets_them(
        series in prop::collection::btree_set((0..4usize, 0..30usize, 0..3usize), 0..200),
        wanted in prop::collection::vec((0..4usize, 0..6usize, 0..30usize), 0..4),
    ) {
        let store = store(1 << 40, 1 << 40);
        let (names, of) = (["a", "b", "c", "none"], |kind: usize, n: usize| match kind {
            0 => format!("name_{n}"),
            1 => format!("{n}"),
            2 => ["", "x", "y"][n].to_owned(),
            _ => String::new(),
        });
        let all: Vec<Labels> = series
            .into_iter()
            .map(|(a, b, c)| Labels::new([("a", of(0, a)), ("b", of(1, b)), ("c", of(2, c))]))
            .collect();
        store.append(Timestamp(1), &sources("x"), all.iter().map(|labels| (labels.clone(), 1.0)));
        let pattern = |text: &str| regex::Regex::new(&format!("^(?:{text})$")).unwrap();
        let matchers: Vec<Matcher> = wanted
            .into_iter()
            .map(|(kind, test, n)| Matcher {
                name: names[kind].to_owned(),
                test: match test {
                    0 => Test::Equal(of(kind, n % 3)),
                    1 => Test::NotEqual(of(kind, n % 3)),
                    2 => Test::Like(pattern(&format!(".*{}.*", n % 10))),
                    3 => Test::NotLike(pattern(&format!(".*{}", n % 10))),
                    4 => Test::Like(pattern(&format!("|{}|x", of(kind, n % 3)))),
                    _ => Test::NotLike(pattern("|x")),
                },
            })
            .collect();
        let mut expected: Vec<Labels> = all
            .into_iter()
            .filter(|labels| matchers.iter().all(|m| m.test.accepts(labels.get(&m.name))))
            .collect();
        let mut found = store.labels(&matchers, Timestamp(0), Timestamp(1));
        expected.sort();
        found.sort();
        prop_assert_eq!(found, expected);
    }
}
