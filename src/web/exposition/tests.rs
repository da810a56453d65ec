use super::pages::Pages;
use super::*;
use crate::sample::{Family, Labels, MetricKind, Sample, Source};

fn sample(kind: MetricKind, name: &str, help: &str, labels: &[(&str, &str)], value: f64) -> Sample {
    let (name, help) = (name.into(), help.into());
    Sample {
        family: Arc::new(Family { name, kind, help }),
        labels: Labels::new(labels.iter().copied()),
        value,
    }
}

fn check(sources: &[(&str, Vec<Sample>)], server: Option<&str>, text: &str, open: &str) {
    let source = |name: &&str| Source::new(name, "", "facts");
    let current: Vec<_> = sources
        .iter()
        .map(|(server, samples)| (source(server), Arc::from(samples.clone())))
        .collect();
    let server = server.map(Arc::from);
    let page = |format| {
        let mut pages = Pages::new(Form {
            format,
            gzip: false,
        });
        pages.update(current.clone());
        let parts = pages.page(server.as_ref()).end("").concat();
        String::from_utf8(parts).unwrap()
    };
    assert_eq!(page(Format::Text), text);
    assert_eq!(page(Format::OpenMetrics), open);
}

#[test]
fn values_labels_and_help_are_written_as_each_format_wants_them() {
    let kinds = [
        sample(
            MetricKind::Gauge,
            "pg_size_bytes",
            "Size.",
            &[("datname", "a\"b\\c\nd\u{e9}")],
            8_192.0,
        ),
        sample(
            MetricKind::Gauge,
            "pg_size_bytes",
            "Size.",
            &[("datname", "a")],
            f64::NAN,
        ),
        sample(
            MetricKind::Counter,
            "pg_seen_total",
            "The \"seen\" \\ ones,\nall of them.",
            &[],
            0.1,
        ),
        sample(
            MetricKind::Counter,
            "pg_commits",
            "Commits.",
            &[("x", "1")],
            1e22,
        ),
        sample(
            MetricKind::Unknown,
            "pg_odd",
            "Odd.",
            &[],
            f64::NEG_INFINITY,
        ),
    ];
    check(
        &[("s", kinds.to_vec())],
        None,
        r#"# HELP pg_commits Commits.
# TYPE pg_commits counter
pg_commits{x="1"} 1e+22
# HELP pg_odd Odd.
# TYPE pg_odd untyped
pg_odd -Inf
# HELP pg_seen_total The "seen" \\ ones,\nall of them.
# TYPE pg_seen_total counter
pg_seen_total 0.1
# HELP pg_size_bytes Size.
# TYPE pg_size_bytes gauge
pg_size_bytes{datname="a"} NaN
pg_size_bytes{datname="a\"b\\c\ndé"} 8192
"#,
        r#"# HELP pg_commits Commits.
# TYPE pg_commits unknown
pg_commits{x="1"} 1e22
# HELP pg_odd Odd.
# TYPE pg_odd unknown
pg_odd -inf
# HELP pg_seen The \"seen\" \\ ones,\nall of them.
# TYPE pg_seen counter
pg_seen_total 0.1
# HELP pg_size_bytes Size.
# TYPE pg_size_bytes gauge
# UNIT pg_size_bytes bytes
pg_size_bytes{datname="a"} NaN
pg_size_bytes{datname="a\"b\\c\ndé"} 8192.0
"#,
    );
}

#[test]
fn a_family_stands_once_whatever_its_sources_say_of_it() {
    let first = [sample(
        MetricKind::Gauge,
        "pg_up",
        "Up.",
        &[("server", "a")],
        1.0,
    )];
    let second = [sample(
        MetricKind::Counter,
        "pg_up",
        "Different.",
        &[("server", "b")],
        0.0,
    )];
    let sources = [("a", first.to_vec()), ("b", second.to_vec())];
    check(
        &sources,
        None,
        "# HELP pg_up Up.\n# TYPE pg_up gauge\npg_up{server=\"a\"} 1\npg_up{server=\"b\"} 0\n",
        "# HELP pg_up Up.\n# TYPE pg_up gauge\npg_up{server=\"a\"} 1.0\npg_up{server=\"b\"} 0.0\n",
    );
    check(
        &sources,
        Some("b"),
        "# HELP pg_up Different.\n# TYPE pg_up counter\npg_up{server=\"b\"} 0\n",
        "# HELP pg_up Different.\n# TYPE pg_up unknown\npg_up{server=\"b\"} 0.0\n",
    );
}

#[test]
fn a_counter_whose_short_name_is_taken_keeps_its_own() {
    let both = [
        sample(MetricKind::Counter, "pg_wal_total", "All.", &[], 2.0),
        sample(MetricKind::Gauge, "pg_wal", "Now.", &[], 1.0),
    ];
    check(
        &[("s", both.to_vec())],
        None,
        "# HELP pg_wal Now.\n# TYPE pg_wal gauge\npg_wal 1\n# HELP pg_wal_total All.\n# TYPE pg_wal_total counter\npg_wal_total 2\n",
        "# HELP pg_wal Now.\n# TYPE pg_wal gauge\npg_wal 1.0\n# HELP pg_wal_total All.\n# TYPE pg_wal_total unknown\npg_wal_total 2.0\n",
    );
}

#[test]
fn what_is_large_or_written_before_stands_where_it_belongs() {
    let row = |name: &str, n: i32| {
        let label = format!("{n:04}");
        sample(MetricKind::Gauge, name, "h", &[("n", &label)], f64::from(n))
    };
    let source = |collector| Source::new("s", "", collector);
    let large = |from| -> Arc<[Sample]> {
        (from..from + 500)
            .flat_map(|n| [row("b", n), row("d", n)])
            .collect()
    };
    let few: Arc<[Sample]> = [row("a", 1), row("b", 9999), row("c", 1)].into();
    let mut kept = Pages::new(Form {
        format: Format::Text,
        gzip: false,
    });
    for from in [0, 0, 7] {
        let current = vec![(source("few"), few.clone()), (source("large"), large(from))];
        let lines = |name: &str| {
            let rows = (from..from + 500).map(|n| format!("{name}{{n=\"{n:04}\"}} {n}\n"));
            rows.collect::<String>()
        };
        let head = |name: &str| format!("# HELP {name} h\n# TYPE {name} gauge\n");
        let expected = [
            head("a") + "a{n=\"0001\"} 1\n",
            head("b") + "b{n=\"9999\"} 9999\n" + &lines("b"),
            head("c") + "c{n=\"0001\"} 1\n",
            head("d") + &lines("d"),
        ];
        kept.update(current);
        assert!(kept.page(None).end("").concat() == expected.concat().as_bytes());
    }
}

#[test]
fn a_histogram_is_one_family_point_by_point() {
    let part = |name: &str, labels: &[(&str, &str)], value: f64| {
        sample(MetricKind::Histogram, name, "Idle.", labels, value)
    };
    let mut parts = Vec::new();
    for state in ["idle", "done"] {
        let of = [("state", state)];
        parts.push(part("pg_idle_seconds_count", &of, 3.0));
        for (bound, count) in [("+Inf", 3.0), ("10", 2.0), ("2.5", 1.0)] {
            let labels = [of[0], ("le", bound)];
            parts.push(part("pg_idle_seconds_bucket", &labels, count));
        }
        parts.push(part("pg_idle_seconds_sum", &of, 40.5));
    }
    let text = r#"# HELP pg_idle_seconds Idle.
# TYPE pg_idle_seconds histogram
pg_idle_seconds_bucket{le="2.5",state="done"} 1
pg_idle_seconds_bucket{le="10",state="done"} 2
pg_idle_seconds_bucket{le="+Inf",state="done"} 3
pg_idle_seconds_sum{state="done"} 40.5
pg_idle_seconds_count{state="done"} 3
pg_idle_seconds_bucket{le="2.5",state="idle"} 1
pg_idle_seconds_bucket{le="10",state="idle"} 2
pg_idle_seconds_bucket{le="+Inf",state="idle"} 3
pg_idle_seconds_sum{state="idle"} 40.5
pg_idle_seconds_count{state="idle"} 3
"#;
    let open = text
        .replace(
            " histogram\n",
            " histogram\n# UNIT pg_idle_seconds seconds\n",
        )
        .replace("} 1\n", "} 1.0\n")
        .replace("} 2\n", "} 2.0\n")
        .replace("} 3\n", "} 3.0\n");
    check(&[("s", parts)], None, text, &open);
}
