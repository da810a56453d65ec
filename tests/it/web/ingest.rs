//! The same samples through both formats into a real Prometheus, and before promtool.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::Response;
use pgvigil::sample::{MetricKind, Sample};
use pgvigil::web::{Settings, View, router};
use serde_json::Value;

use super::{ask, publish, sample, view};
use crate::harness::{Daemon, Scratch, eventually_async, free_port, lint, tool};

/// What could come out differently: types, units, characters, extreme numbers.
fn hostile() -> Vec<Sample> {
    let (counter, gauge, unknown) = (MetricKind::Counter, MetricKind::Gauge, MetricKind::Unknown);
    let histogram = MetricKind::Histogram;
    vec![
        sample(
            counter,
            "pg_stat_database_xact_commit",
            &[("datname", "a")],
            12.0,
        ),
        sample(
            counter,
            "pg_stat_database_temp_bytes",
            &[("datname", "a")],
            9.5e15,
        ),
        sample(counter, "pg_sessions_total", &[("datname", "a")], 3.0),
        sample(counter, "pg_active_time_seconds_total", &[], 0.25),
        sample(counter, "pg_wal_total", &[], 7.0),
        sample(gauge, "pg_wal", &[], 8.0),
        sample(
            gauge,
            "pg_size_bytes",
            &[("datname", "quote \" slash \\ line \n é 漢 🐘")],
            1e21,
        ),
        sample(gauge, "pg_size_bytes", &[("datname", " ")], -0.0),
        sample(gauge, "pg_ages_seconds", &[("of", "+inf")], f64::INFINITY),
        sample(
            gauge,
            "pg_ages_seconds",
            &[("of", "-inf")],
            f64::NEG_INFINITY,
        ),
        sample(gauge, "pg_ages_seconds", &[("of", "nan")], f64::NAN),
        sample(gauge, "pg_ages_seconds", &[("of", "least")], 5e-324),
        sample(gauge, "pg_ages_seconds", &[("of", "most")], f64::MAX),
        sample(gauge, "pg_hit_ratio", &[], 0.1 + 0.2),
        sample(gauge, "pg_settings_total", &[], 1.0),
        sample(
            unknown,
            "pg_static",
            &[("version", "PostgreSQL 15.18, \u{7f}\u{1}")],
            1.0,
        ),
        sample(histogram, "pg_idle_seconds_bucket", &[("le", "2.5")], 1.0),
        sample(histogram, "pg_idle_seconds_bucket", &[("le", "10")], 2.0),
        sample(histogram, "pg_idle_seconds_bucket", &[("le", "+Inf")], 3.0),
        sample(histogram, "pg_idle_seconds_sum", &[], 40.5),
        sample(histogram, "pg_idle_seconds_count", &[], 3.0),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn both_formats_are_ingested_alike() {
    let view = view(&["rachel"]);
    publish(&view, "rachel", hostile());
    let scratch = Scratch::new();
    let (open, text) = (serve(&view, false).await, serve(&view, true).await);
    let jobs: String = [("open", open), ("text", text)]
        .iter()
        .map(|(job, port)| format!("  - {{job_name: {job}, static_configs: [{{targets: ['127.0.0.1:{port}'], labels: {{instance: x}}}}]}}\n"))
        .collect();
    let config = format!("global: {{scrape_interval: 1s}}\nscrape_configs:\n{jobs}");
    let prometheus = Prometheus::start(&scratch, &config);
    for job in ["open", "text"] {
        prometheus
            .await_one(&format!("up{{job=\"{job}\"}} == 1"))
            .await;
    }
    let of_job = |job: &str| format!("{{job=\"{job}\",__name__=~\"pg_.+\"}}");
    let (open, text) = (
        prometheus.query(&of_job("open")).await,
        prometheus.query(&of_job("text")).await,
    );
    assert_eq!(open.len(), hostile().len());
    assert_eq!(open, text);

    // 2.42 asks for OpenMetrics by itself, and knows a type for each family.
    let metadata = prometheus.get("/api/v1/metadata").await;
    for (name, types) in [
        ("pg_stat_database_xact_commit", vec!["counter", "unknown"]),
        ("pg_size_bytes", vec!["gauge"]),
        ("pg_static", vec!["unknown"]),
        ("pg_idle_seconds", vec!["histogram"]),
    ] {
        let found = metadata["data"][name].as_array().unwrap().iter();
        let mut found: Vec<&str> = found.map(|entry| entry["type"].as_str().unwrap()).collect();
        found.sort_unstable();
        found.dedup();
        assert_eq!(found, types, "{name}");
    }
}

/// The router on a socket; without the `Accept` header when `plain`, which no Prometheus can be told to leave out.
async fn serve(view: &Arc<View>, plain: bool) -> u16 {
    let strip = |mut request: Request, next: Next| async move {
        request.headers_mut().remove("accept");
        let response: Response = next.run(request).await;
        response
    };
    let pages = router(view.clone(), &Settings::default());
    let pages = if plain {
        pages.layer(middleware::from_fn(strip))
    } else {
        pages
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { axum::serve(listener, pages).await });
    port
}

#[tokio::test]
async fn promtool_reads_the_page() {
    let view = view(&["rachel"]);
    publish(&view, "rachel", hostile());
    let page = ask(&view, &Settings::default(), "/metrics", &[]).await;
    let complaints = lint(page.text());
    // The names are postgres_exporter's, and the values of the page are facts: only they may be complained about.
    let accepted = [
        "should have \"_total\" suffix",
        "should not have \"_total\" suffix",
    ];
    let others: Vec<&String> = complaints
        .iter()
        .filter(|line| !accepted.iter().any(|words| line.contains(words)))
        .collect();
    assert!(others.is_empty(), "{others:#?}");
}

/// A real Prometheus with an empty database.
pub(super) struct Prometheus {
    reader: Reader,
    daemon: Daemon,
}

/// Reads from the API of a Prometheus, or of pgvigil.
pub(super) struct Reader {
    url: String,
    client: reqwest::Client,
}

impl Prometheus {
    pub(super) fn start(scratch: &Scratch, config: &str) -> Prometheus {
        let port = free_port();
        let config = scratch.write("prometheus.yml", config);
        let mut command = Command::new(tool("prometheus"));
        command
            .arg(format!("--config.file={}", config.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                scratch.join("tsdb").display()
            ))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"));
        Prometheus {
            reader: Reader::at(port),
            daemon: Daemon::spawn(command),
        }
    }
}

impl Deref for Prometheus {
    type Target = Reader;

    fn deref(&self) -> &Reader {
        &self.reader
    }
}

impl Reader {
    pub(super) fn at(port: u16) -> Reader {
        let _ = rustls::crypto::ring::default_provider().install_default();
        Reader {
            url: format!("http://127.0.0.1:{port}"),
            client: reqwest::Client::new(),
        }
    }

    /// The JSON answer to a path.
    pub(super) async fn get(&self, path: &str) -> Value {
        self.client
            .get(format!("{}{path}", self.url))
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap()
    }

    /// An instant query: labels without `job`, and the value as it is written.
    pub(super) async fn query(&self, expression: &str) -> BTreeMap<String, String> {
        self.try_query(expression)
            .await
            .unwrap_or_else(|error| panic!("{expression}: {error}"))
    }

    /// The values of a label on the series that are selected.
    pub(super) async fn values(&self, label: &str, selector: &str) -> Vec<Value> {
        let path = format!("{}/api/v1/label/{label}/values", self.url);
        let url = reqwest::Url::parse_with_params(&path, [("match[]", selector)]).unwrap();
        let answer: Value = self
            .client
            .get(url)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        answer["data"].as_array().unwrap().clone()
    }

    async fn try_query(&self, expression: &str) -> Result<BTreeMap<String, String>, String> {
        let url = reqwest::Url::parse_with_params(
            &format!("{}/api/v1/query", self.url),
            [("query", expression)],
        );
        let answer = self
            .client
            .get(url.unwrap())
            .send()
            .await
            .map_err(|error| error.to_string())?;
        let answer: Value = answer.json().await.map_err(|error| error.to_string())?;
        let Some(result) = answer["data"]["result"].as_array() else {
            return Err(answer.to_string());
        };
        let each = result.iter().map(|series| {
            let mut labels = series["metric"].clone();
            labels.as_object_mut().map(|labels| labels.remove("job"));
            (labels.to_string(), series["value"][1].to_string())
        });
        Ok(each.collect())
    }

    /// Waits until an expression has a value.
    pub(super) async fn await_one(&self, expression: &str) -> BTreeMap<String, String> {
        let deadline = Duration::from_secs(60);
        let what = format!("a value of `{expression}`");
        eventually_async(&what, deadline, || async {
            let found = self.try_query(expression).await.ok()?;
            (!found.is_empty()).then_some(found)
        })
        .await
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.daemon.output());
        }
    }
}
