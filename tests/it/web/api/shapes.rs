//! What a Prometheus that scrapes pgvigil tells of its metrics, its target and itself: the same metadata, and answers
//! of the same shape.

use std::sync::Arc;
use std::time::Duration;

use pgvigil::sample::{MetricKind, Sample, Source};
use pgvigil::web::api::{Api, Watched};
use pgvigil::web::{Settings, View, router};
use serde_json::{Map, Value, json};

use super::told;
use crate::harness::{Prometheus, eventually_async};
use crate::web::{ask_of, publish, sample, view};

fn samples() -> Vec<Sample> {
    let (counter, gauge, histogram) = (
        MetricKind::Counter,
        MetricKind::Gauge,
        MetricKind::Histogram,
    );
    vec![
        sample(counter, "pg_sessions_total", &[("datname", "a")], 3.0),
        sample(counter, "pg_sessions_total", &[("datname", "b")], 4.0),
        sample(counter, "pg_stat_database_xact_commit", &[], 12.0),
        sample(gauge, "pg_size_bytes", &[], 1e21),
        sample(MetricKind::Unknown, "pg_static", &[], 1.0),
        sample(histogram, "pg_idle_seconds_bucket", &[("le", "2.5")], 1.0),
        sample(histogram, "pg_idle_seconds_bucket", &[("le", "+Inf")], 3.0),
        sample(histogram, "pg_idle_seconds_sum", &[], 40.5),
        sample(histogram, "pg_idle_seconds_count", &[], 3.0),
    ]
}

/// A watched server that has been read, and one that has not.
fn watched() -> Vec<Watched> {
    let server = |name: &str| Watched {
        pool: "postgresql",
        name: name.into(),
        url: format!("postgresql://{name}:5432/app"),
        source: Source::new(name, "", "facts"),
        timeout: Some(Duration::from_secs(10)),
    };
    vec![server("rachel"), server("monica")]
}

/// Names in their order, and types in the place of values; of an array its first element, of what has names of its own
/// the shape of one.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let each = members.iter();
            let each = each.map(|(name, value)| match name.as_str() {
                "labels" | "discoveredLabels" | "target" | "droppedTargetCounts" => {
                    (name.clone(), json!("object"))
                }
                _ => (name.clone(), shape(value)),
            });
            Value::Object(each.collect::<Map<String, Value>>())
        }
        Value::Array(elements) => elements.first().map(shape).into_iter().collect(),
        Value::String(_) => json!("text"),
        Value::Number(_) => json!("number"),
        Value::Bool(_) => json!("flag"),
        Value::Null => Value::Null,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn metadata_targets_and_facts_have_the_form_of_prometheus() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let api = Api {
        watched: watched(),
        ..told()
    };
    let view = Arc::new(View {
        api,
        ..Arc::into_inner(view(&["rachel"])).unwrap()
    });
    publish(&view, "rachel", samples());
    let service = router(view, &Settings::default());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = listener.local_addr().unwrap();
    let served = service.clone();
    tokio::spawn(async move { axum::serve(listener, served).await });
    let prometheus = Prometheus::configured(
        &format!(
            "global: {{scrape_interval: 1s, scrape_protocols: [PrometheusText0.0.4]}}\nscrape_configs:\n\
             - {{job_name: pgvigil, static_configs: [{{targets: ['{place}']}}]}}\n"
        ),
        &[],
    );
    let ours = async |path: &str| {
        let answer = ask_of(service.clone(), &format!("/api/v1/{path}"), &[]).await;
        serde_json::from_str::<Value>(answer.text()).unwrap()
    };
    let theirs = async |path: &str| {
        let answer = reqwest::get(format!("{}/api/v1/{path}", prometheus.url())).await;
        serde_json::from_str::<Value>(&answer.unwrap().text().await.unwrap()).unwrap()
    };
    let scraped = eventually_async("a scrape", Duration::from_secs(60), || async {
        let mut told = theirs("metadata").await;
        let families = told["data"].as_object_mut().unwrap();
        // Written into the page alone.
        families.remove("pgvigil_collector_age_seconds")?;
        Some(told)
    })
    .await;
    assert_eq!(ours("metadata").await.to_string(), scraped.to_string());
    assert_eq!(scraped["data"].as_object().unwrap().len(), 5);
    for path in [
        "metadata?metric=pg_size_bytes",
        "metadata?metric=pg_idle_seconds&limit_per_metric=1",
        "metadata?metric=pg_idle_seconds_bucket",
        "metadata?metric=pg_static&limit=1",
    ] {
        assert_eq!(
            ours(path).await.to_string(),
            theirs(path).await.to_string(),
            "{path}"
        );
    }
    for path in [
        "targets",
        "targets?state=active",
        "targets?state=dropped",
        "scrape_pools",
        "targets/metadata?metric=pg_static",
        "targets/metadata",
        "status/buildinfo",
        "status/config",
        "status/runtimeinfo",
        "status/tsdb?limit=1",
        "status/walreplay",
    ] {
        let (ours, theirs) = (ours(path).await, theirs(path).await);
        assert_eq!(
            shape(&ours).to_string(),
            shape(&theirs).to_string(),
            "{path}"
        );
    }
    let targets = ours("targets").await;
    let health = |place: usize| targets["data"]["activeTargets"][place]["health"].clone();
    assert_eq!((health(0), health(1)), (json!("up"), json!("unknown")));
    let none = ours("targets?scrapePool=patroni").await;
    assert_eq!(none["data"]["activeTargets"], json!([]));
}
