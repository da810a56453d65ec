use super::*;
use crate::sample::{Family, MetricKind, is_stale};
use crate::store::{Matcher, Settings, Test};

struct Fixture {
    store: Arc<Store>,
    board: Board,
}

impl Fixture {
    fn new(several_servers: bool) -> Self {
        let settings = Settings {
            retention: Duration::from_secs(3600),
            max_bytes: 1 << 20,
        };
        let store = Arc::new(Store::new(&settings, Timestamp(0)));
        Fixture {
            board: Board::new(Arc::clone(&store), several_servers),
            store,
        }
    }

    /// A declared source that is read every ten seconds.
    fn source(&self, server: &str, collector: &str) -> Source {
        let source = Source::new(server, "", collector);
        self.board.declare(&source, Duration::from_secs(10), 3);
        source
    }

    /// Publishes `name=value` words, all with the label `datname="d"`.
    fn publish(&self, source: &Source, second: i64, text: &str) {
        let samples = text.split_whitespace().map(|word| {
            let (name, value) = word.split_once('=').unwrap();
            sample(name, value.parse().unwrap())
        });
        self.board.publish(
            source,
            Timestamp(second * 1000),
            Duration::ZERO,
            samples.collect(),
            0,
        );
    }

    /// The page as `series value` words.
    fn page(&self) -> Vec<String> {
        let sources = self.board.current();
        let samples = sources.iter().flat_map(|(_, samples)| samples.iter());
        samples
            .map(|sample| format!("{}{} {}", sample.family.name, sample.labels, sample.value))
            .collect()
    }

    /// The points of a metric in the store, `stale` for markers, after their labels.
    fn stored(&self, name: &str) -> Vec<String> {
        let matcher = Matcher {
            name: NAME.into(),
            test: Test::Equal(name.into()),
        };
        let found = self
            .store
            .select(&[matcher], Timestamp(-1), Timestamp(i64::MAX));
        let shown = |value: f64| {
            if is_stale(value) {
                "stale".into()
            } else {
                value.to_string()
            }
        };
        let points = |points: &[(Timestamp, f64)]| -> Vec<String> {
            points
                .iter()
                .map(|(at, value)| format!("{}:{}", at.0 / 1000, shown(*value)))
                .collect()
        };
        found
            .iter()
            .map(|series| format!("{} {}", series.labels, points(&series.points).join(" ")))
            .collect()
    }
}

fn sample(name: &str, value: f64) -> Sample {
    Sample {
        family: Arc::new(Family {
            name: name.into(),
            kind: MetricKind::Gauge,
            help: "h".into(),
        }),
        labels: Labels::new([("datname", "d")]),
        value,
    }
}

#[test]
fn a_reading_replaces_the_last_and_ends_what_is_gone() {
    let fixture = Fixture::new(false);
    let source = fixture.source("db", "c");
    fixture.publish(&source, 10, "a=1 b=2");
    let first = fixture.board.generation();
    fixture.publish(&source, 20, "a=1 b=2");
    assert_eq!(
        fixture.board.generation(),
        first,
        "nothing changed on the page"
    );
    fixture.publish(&source, 30, "a=3");
    assert!(fixture.board.generation() > first);
    assert_eq!(fixture.page(), [r#"a{datname="d"} 3"#]);
    assert_eq!(
        fixture.stored("a"),
        [r#"a{datname="d", instance="db", job="pgvigil", server="db"} 10:1 20:1 30:3"#]
    );
    assert_eq!(
        fixture.stored("b"),
        [r#"b{datname="d", instance="db", job="pgvigil", server="db"} 10:2 20:2 30:stale"#]
    );
    assert_eq!(fixture.store.last_success(&source), Some(Timestamp(30_000)));
}

#[test]
fn samples_outlive_failures_by_their_lifetime_and_then_end() {
    let fixture = Fixture::new(false);
    let source = fixture.source("db", "c");
    fixture.publish(&source, 10, "a=1");
    fixture
        .board
        .fail(&source, Timestamp(20_000), Duration::ZERO, "locked".into());
    assert!(fixture.board.fresh(&source, Timestamp(40_000)));
    fixture.board.expire(Timestamp(40_000));
    assert_eq!(fixture.page().len(), 1);
    assert!(!fixture.board.fresh(&source, Timestamp(43_000)));
    fixture.board.expire(Timestamp(43_000));
    assert!(fixture.page().is_empty());
    assert!(fixture.stored("a")[0].ends_with("10:1 43:stale"));
    let status = &fixture.board.statuses()[0];
    assert_eq!(
        (status.error.as_deref(), status.series),
        (Some("locked"), 0)
    );
    assert_eq!(status.last_success, Some(Timestamp(10_000)));
    fixture.publish(&source, 50, "a=2");
    assert_eq!(
        fixture.page().len(),
        1,
        "it comes back with the next success"
    );
}

#[test]
fn of_two_sources_of_one_series_the_first_keeps_it_until_it_ends() {
    let fixture = Fixture::new(false);
    let (first, second) = (fixture.source("db", "c1"), fixture.source("db", "c2"));
    fixture.publish(&first, 10, "a=1 a=7");
    fixture.publish(&second, 11, "a=2 b=3");
    assert_eq!(
        fixture.page(),
        [r#"a{datname="d"} 1"#, r#"b{datname="d"} 3"#]
    );
    let dropped: Vec<u64> = fixture
        .board
        .statuses()
        .iter()
        .map(|status| status.dropped)
        .collect();
    assert_eq!(dropped, [1, 1]);
    fixture.board.retire(&first, Timestamp(12_000));
    fixture.publish(&first, 13, "a=1");
    assert_eq!(fixture.board.statuses().len(), 1, "a late reading is lost");
    fixture.publish(&second, 21, "a=2 b=3");
    assert_eq!(fixture.page().len(), 2);
    assert!(
        fixture.stored("a")[0].ends_with("10:1 12:stale 21:2"),
        "{:?}",
        fixture.stored("a")
    );
}

#[test]
fn several_servers_are_told_apart_by_a_label() {
    let fixture = Fixture::new(true);
    fixture.publish(&fixture.source("db1", "c"), 10, "a=1 up=1");
    fixture.publish(&fixture.source("db2", "c"), 10, "a=2 up=1");
    let page = [
        r#"a{datname="d", server="db1"} 1"#,
        r#"a{datname="d", server="db2"} 2"#,
    ];
    assert_eq!(fixture.page(), page, "`up` is not on the page");
    assert_eq!(fixture.stored("up").len(), 2);
    let of_first = fixture.board.statuses_of("db1");
    let known: Vec<&str> = of_first
        .iter()
        .map(|status| &*status.source.server)
        .collect();
    assert_eq!(known, ["db1"]);
    assert_eq!(
        fixture.stored("a")[0],
        r#"a{datname="d", instance="db1", job="pgvigil", server="db1"} 10:1"#
    );
    fixture.publish(&fixture.source("", "own"), 10, "b=1");
    assert_eq!(
        fixture.stored("b"),
        [r#"b{datname="d", instance="pgvigil", job="pgvigil"} 10:1"#],
        "pgvigil's own series belong to no server"
    );
}

#[test]
fn only_what_is_known_to_be_gone_is_retired() {
    let board = Fixture::new(false).board;
    let (read, gone) = (Source::new("db", "", "c"), Source::new("db", "", "gone"));
    let elsewhere = Source::new("other", "", "c");
    board.declare(&read, Duration::from_secs(15), 3);
    assert!(
        !board.retired(&elsewhere),
        "nothing is known before the watch begins"
    );
    board.watch(["db"].into_iter());
    assert!(board.retired(&elsewhere));
    assert!(!board.retired(&gone), "the plan is not known yet");
    board.planned("db");
    assert!(board.retired(&gone) && !board.retired(&read));
    board.retire(&read, Timestamp(1));
    assert!(board.retired(&read));
}

#[test]
fn what_is_read_seldom_stays_within_sight_of_promql() {
    let fixture = Fixture::new(false);
    let source = Source::new("db", "", "c");
    fixture.board.declare(&source, Duration::from_secs(3600), 3);
    fixture.publish(&source, 10, "a=1");
    for second in [30, 69, 70, 100, 131] {
        fixture.board.repeat(Timestamp(second * 1000));
    }
    assert!(fixture.stored("a")[0].ends_with("10:1 70:1 131:1"));
    assert_eq!(fixture.store.last_success(&source), Some(Timestamp(10_000)));
}

#[test]
fn what_goes_within_the_millisecond_of_its_last_sample_is_marked_as_gone() {
    let fixture = Fixture::new(false);
    let source = fixture.source("rachel", "c");
    fixture.publish(&source, 10, "a=1 b=1");
    fixture.publish(&source, 10, "a=1");
    let stored = fixture.stored("b");
    assert!(
        stored.iter().any(|points| points.ends_with("10:stale")),
        "{stored:?}"
    );
}
