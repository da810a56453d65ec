//! Queries over HTTP: pgvigil's API and Prometheus', one after the other.

use std::time::Duration;

use criterion::Criterion;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use pgvigil::sample::Timestamp;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::it::harness::Prometheus;
use crate::ours;
use crate::scene::{Scene, rules};
use crate::table::Table;
use crate::theirs;

const RANGES: &[(&str, &str)] = &[
    ("selector", "size_bytes"),
    ("rate", "rate(reads_total[5m])"),
    ("sum by rate", "sum by (server) (rate(reads_total[5m]))"),
    (
        "histogram_quantile",
        "histogram_quantile(0.9, sum by (server, le) (rate(took_seconds_bucket[5m])))",
    ),
    (
        "join",
        "rate(reads_total[5m]) / on (server, relname) size_bytes",
    ),
    ("subquery", "max_over_time(rate(reads_total[1m])[5m:30s])"),
];

/// Both over one scene.
struct Both {
    runtime: Runtime,
    client: reqwest::Client,
    /// `pgvigil` and `Prometheus`, with their addresses.
    addresses: [(&'static str, String); 2],
    stop: CancellationToken,
    _prometheus: Prometheus,
}

impl Both {
    fn over(scene: &Scene) -> Both {
        let runtime = Runtime::new().unwrap();
        let store = ours::empty();
        ours::fill(&store, scene, 0..scene.cycles);
        let stop = CancellationToken::new();
        let our_address = ours::serve(&runtime, store, stop.clone());
        let prometheus = runtime.block_on(theirs::over(scene, &[]));
        Both {
            client: reqwest::Client::new(),
            addresses: [("pgvigil", our_address), ("Prometheus", prometheus.url())],
            runtime,
            stop,
            _prometheus: prometheus,
        }
    }

    /// Asks, and gives the text of the answer.
    fn ask(&self, url: &str, path: &str, form: &str) -> String {
        self.runtime.block_on(async {
            let sent = self
                .client
                .post(format!("{url}/api/v1/{path}"))
                .header("Content-Type", "application/x-www-form-urlencoded")
                .body(form.to_owned())
                .send();
            sent.await.unwrap().text().await.unwrap()
        })
    }

    /// Measures the same requests to both, which must give answers of the same length, give or take a little.
    fn measure(&self, criterion: &mut Criterion, group: &str, path: &str, forms: &[String]) {
        let lengths = self.addresses.each_ref().map(|(_, url)| {
            let texts = forms.iter().map(|form| self.ask(url, path, form).len());
            texts.sum::<usize>()
        });
        let [ours, theirs] = lengths.map(|length| length as f64);
        assert!(
            (ours / theirs - 1.0).abs() < 0.1,
            "{group}: {ours} and {theirs} bytes"
        );
        let mut group = criterion.benchmark_group(group);
        for (name, url) in &self.addresses {
            group.bench_function(*name, |bencher| {
                bencher.iter(|| {
                    for form in forms {
                        self.ask(url, path, form);
                    }
                });
            });
        }
        group.finish();
    }
}

impl Drop for Both {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// An hour at 15 s over a thousand series.
pub fn ranges(criterion: &mut Criterion, table: &mut Table) {
    let scene = Scene::of_a_thousand();
    let both = Both::over(&scene);
    let end = scene.end();
    let start = end.before(Duration::from_secs(3600));
    for (name, query) in RANGES {
        let group = format!("range of 1 h at 15 s, {name}");
        let form = format!(
            "query={}&start={}&end={}&step=15",
            encoded(query),
            seconds(start),
            seconds(end)
        );
        both.measure(criterion, &group, "query_range", &[form]);
        table.measured(&group);
    }
}

/// Every default rule once, over so many series.
pub fn rules_over(criterion: &mut Criterion, table: &mut Table, series: usize) {
    let scene = Scene::of_the_rules(series, 60);
    let both = Both::over(&scene);
    let at = seconds(scene.end());
    let forms: Vec<String> = rules()
        .iter()
        .map(|rule| format!("query={}&time={at}", encoded(rule)))
        .collect();
    let group = format!("{} default rules over {series} series", forms.len());
    both.measure(criterion, &group, "query", &forms);
    table.measured(&group);
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

fn seconds(at: Timestamp) -> String {
    format!("{}.{:03}", at.0 / 1000, at.0 % 1000)
}
