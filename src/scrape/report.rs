//! How the collectors of one server are doing, as samples: pgvigil's own names, and postgres_exporter's.

use std::collections::BTreeMap;

use super::Status;
use crate::sample::{Metric, Sample};
use crate::server::Kind;

/// The collector name of the source of these samples.
pub const REPORT: &str = "collectors";

pub(super) const DURATION: Metric = Metric::gauge(
    "pgvigil_collector_duration_seconds",
    "How long the last reading took, without waiting for a connection.",
);
pub(super) const SUCCESS: Metric = Metric::gauge(
    "pgvigil_collector_success",
    "Whether the last reading succeeded.",
);
pub(super) const DENIED: Metric = Metric::gauge(
    "pgvigil_collector_denied",
    "1 where the last reading was refused for want of a right; then there is neither success nor failure.",
);
/// When a source was last read in full.
pub const LAST_SUCCESS: Metric = Metric::gauge(
    "pgvigil_collector_last_success_timestamp_seconds",
    "When a reading last succeeded.",
);
pub(super) const SERIES: Metric = Metric::gauge("pgvigil_collector_series", "Series on the page.");
pub(super) const DROPPED: Metric = Metric::gauge(
    "pgvigil_collector_dropped_series",
    "Series left out at the last reading: past the cap, duplicate or not readable.",
);
/// How often a source is read.
pub const INTERVAL: Metric = Metric::gauge(
    "pgvigil_collector_interval_seconds",
    "How often it is read: as declared, or less often to stay within `collect.load_budget`.",
);
pub(super) const LOAD: Metric = Metric::gauge(
    "pgvigil_server_load_ratio",
    "The share of a core that all collectors' statements take at most, by the clock.",
);
pub(super) const COLLECTOR_DURATION: Metric = Metric::gauge(
    "pg_scrape_collector_duration_seconds",
    "How long the collector's last reading took, without waiting for a connection.",
);
pub(super) const COLLECTOR_SUCCESS: Metric = Metric::gauge(
    "pg_scrape_collector_success",
    "Whether the collector's last reading succeeded, in every database.",
);
pub(super) const SCRAPE_DURATION: Metric = Metric::gauge(
    "pg_exporter_last_scrape_duration_seconds",
    "How long the last readings of all collectors took together.",
);
pub(super) const SCRAPE_ERROR: Metric = Metric::gauge(
    "pg_exporter_last_scrape_error",
    "Whether the last reading of any collector failed.",
);
pub(super) const SCRAPES: Metric = Metric::counter(
    "pg_exporter_scrapes_total",
    "How often the state of the collectors was written down.",
);

/// Writes the report; counts how often.
#[derive(Debug)]
pub(super) struct Report {
    kind: Kind,
    written: u64,
}

impl Report {
    /// No report yet on a server of this kind.
    pub(super) fn of(kind: Kind) -> Self {
        Report { kind, written: 0 }
    }

    /// The samples for the statuses of one server's collectors, and the share of a core that they take.
    pub(super) fn samples(&mut self, statuses: &[Status], load: f64) -> Vec<Sample> {
        self.written += 1;
        let attempts = statuses.iter();
        let tried: Vec<&Status> = attempts
            .filter(|status| status.last_attempt.is_some())
            .collect();
        let mut samples: Vec<Sample> = tried
            .iter()
            .flat_map(|status| self_metrics(status))
            .collect();
        if self.kind == Kind::PostgreSql {
            samples.push(LOAD.sample(&[], load));
            samples.extend(by_collector(&tried));
            samples.extend(as_one_scrape(&tried, self.written));
        }
        samples
    }
}

/// How one source is doing.
pub fn self_metrics(status: &Status) -> Vec<Sample> {
    let source = &status.source;
    let labels = [
        ("collector", &*source.collector),
        ("database", &*source.database),
    ];
    let mut samples = vec![
        DURATION.sample(&labels, status.took.as_secs_f64()),
        INTERVAL.sample(&labels, status.interval.as_secs_f64()),
        match status.denied {
            true => DENIED.sample(&labels, 1.0),
            false => SUCCESS.sample(&labels, success(status)),
        },
        SERIES.sample(&labels, status.series as f64),
        DROPPED.sample(&labels, status.dropped as f64),
    ];
    let last = status.last_success;
    samples.extend(last.map(|at| LAST_SUCCESS.sample(&labels, at.seconds())));
    samples
}

/// postgres_exporter knows no databases here: the slowest counts, and all that are permitted must have succeeded.
fn by_collector(tried: &[&Status]) -> Vec<Sample> {
    let mut collectors: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    for status in tried.iter().filter(|status| !status.denied) {
        let worst = collectors
            .entry(&status.source.collector)
            .or_insert((0.0, 1.0));
        *worst = (
            worst.0.max(status.took.as_secs_f64()),
            worst.1.min(success(status)),
        );
    }
    let each = collectors.into_iter();
    each.flat_map(|(collector, (took, success))| {
        let labels = [("collector", collector)];
        [
            COLLECTOR_DURATION.sample(&labels, took),
            COLLECTOR_SUCCESS.sample(&labels, success),
        ]
    })
    .collect()
}

fn as_one_scrape(tried: &[&Status], written: u64) -> Vec<Sample> {
    let took: f64 = tried.iter().map(|status| status.took.as_secs_f64()).sum();
    let failed = tried
        .iter()
        .any(|status| status.error.is_some() && !status.denied);
    vec![
        SCRAPE_DURATION.sample(&[], took),
        SCRAPE_ERROR.sample(&[], f64::from(u8::from(failed))),
        SCRAPES.sample(&[], written as f64),
    ]
}

fn success(status: &Status) -> f64 {
    f64::from(u8::from(status.error.is_none()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::sample::{Source, Timestamp};

    #[test]
    fn the_worst_database_speaks_for_a_collector() {
        let status = |database: &str, took: u64, error: Option<&str>| Status {
            source: Source::new("s", database, "sizes"),
            interval: Duration::from_secs(15),
            took: Duration::from_secs(took),
            last_attempt: Some(Timestamp(5_000)),
            last_success: error.is_none().then_some(Timestamp(5_000)),
            error: error.map(str::to_owned),
            denied: error == Some("denied"),
            series: 3,
            dropped: 0,
        };
        let untried = Status {
            last_attempt: None,
            ..status("c", 9, None)
        };
        let statuses = [
            status("a", 1, None),
            status("b", 2, Some("locked")),
            status("d", 0, Some("denied")),
            untried,
        ];
        let samples = Report::of(Kind::PostgreSql).samples(&statuses, 0.25);
        let text: Vec<String> = samples
            .iter()
            .map(|sample| format!("{}{} {}", sample.family.name, sample.labels, sample.value))
            .collect();
        let expected = [
            r#"pgvigil_collector_duration_seconds{collector="sizes", database="a"} 1"#,
            r#"pgvigil_collector_interval_seconds{collector="sizes", database="a"} 15"#,
            r#"pgvigil_collector_success{collector="sizes", database="a"} 1"#,
            r#"pgvigil_collector_series{collector="sizes", database="a"} 3"#,
            r#"pgvigil_collector_dropped_series{collector="sizes", database="a"} 0"#,
            r#"pgvigil_collector_last_success_timestamp_seconds{collector="sizes", database="a"} 5"#,
            r#"pgvigil_collector_duration_seconds{collector="sizes", database="b"} 2"#,
            r#"pgvigil_collector_interval_seconds{collector="sizes", database="b"} 15"#,
            r#"pgvigil_collector_success{collector="sizes", database="b"} 0"#,
            r#"pgvigil_collector_series{collector="sizes", database="b"} 3"#,
            r#"pgvigil_collector_dropped_series{collector="sizes", database="b"} 0"#,
            r#"pgvigil_collector_duration_seconds{collector="sizes", database="d"} 0"#,
            r#"pgvigil_collector_interval_seconds{collector="sizes", database="d"} 15"#,
            r#"pgvigil_collector_denied{collector="sizes", database="d"} 1"#,
            r#"pgvigil_collector_series{collector="sizes", database="d"} 3"#,
            r#"pgvigil_collector_dropped_series{collector="sizes", database="d"} 0"#,
            "pgvigil_server_load_ratio{} 0.25",
            r#"pg_scrape_collector_duration_seconds{collector="sizes"} 2"#,
            r#"pg_scrape_collector_success{collector="sizes"} 0"#,
            "pg_exporter_last_scrape_duration_seconds{} 3",
            "pg_exporter_last_scrape_error{} 1",
            "pg_exporter_scrapes_total{} 1",
        ];
        assert_eq!(text, expected);
    }
}
