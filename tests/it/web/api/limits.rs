//! What others may take: samples, time, turns, answers for pages of other sites; and the end of what nobody waits for.

use std::sync::Arc;
use std::time::Duration;

use pgvigil::sample::Sample;
use pgvigil::web::api::{self, Api, Queries};
use pgvigil::web::{Settings, View, router};
use serde_json::Value;

use super::corpus::encoded;
use super::{SAMPLES, over, told};
use crate::harness::{Prometheus, eventually_async};
use crate::web::ask_of;

/// Seconds of work for any evaluator.
const SLOW: &str = "query=count(sum_over_time(sum_over_time({__name__=~\".%2B\"}[5m:10ms])[5m:100ms]))&time=1700000300";

const PATIENCE: Duration = Duration::from_secs(120);

fn limited(limits: api::Settings) -> (axum::Router, Arc<Queries>) {
    let queries = Arc::new(Queries::new(limits));
    let api = Api {
        queries: queries.clone(),
        ..told()
    };
    let view = Arc::new(View {
        api,
        ..over(SAMPLES)
    });
    (router(view, &Settings::default()), queries)
}

fn value(queries: &Queries, name: &str, kind: &str) -> f64 {
    let wanted =
        |sample: &&Sample| *sample.family.name == *name && sample.labels.get("type") == kind;
    let samples = queries.samples();
    samples
        .iter()
        .find(wanted)
        .map(|sample| sample.value)
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_holds_no_more_samples_than_it_may() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let prometheus = Prometheus::over(SAMPLES, &["--query.max-samples=10"]);
    let (service, queries) = limited(api::Settings {
        max_samples: 10,
        ..api::Settings::default()
    });
    for asked in [
        "query=up&time=1700000060",
        "query={__name__=~\".%2B\"}&time=1700000060",
    ] {
        let path = format!("/api/v1/query?{}", encoded(asked));
        let theirs = reqwest::get(format!("{}{path}", prometheus.url()))
            .await
            .unwrap();
        let ours = ask_of(service.clone(), &path, &[]).await;
        assert_eq!(ours.status, theirs.status(), "{}", ours.text());
        if !ours.status.is_success() {
            assert_eq!(ours.text(), theirs.text().await.unwrap());
        }
    }
    assert_eq!(
        value(&queries, "pgvigil_query_failures_total", "execution"),
        1.0
    );
    assert_eq!(value(&queries, "pgvigil_queries_total", ""), 2.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_wait_for_their_turn_and_not_for_ever() {
    let (service, queries) = limited(api::Settings {
        max_concurrency: 1,
        ..api::Settings::default()
    });
    let slow = format!("/api/v1/query?{}", encoded(SLOW));
    let running = tokio::spawn({
        let (service, slow) = (service.clone(), slow.clone());
        async move { ask_of(service, &slow, &[]).await }
    });
    eventually_async("the slow query runs", PATIENCE, || async {
        (value(&queries, "pgvigil_queries_in_flight", "") == 1.0).then_some(())
    })
    .await;
    let late = ask_of(service.clone(), "/api/v1/query?query=1&timeout=20ms", &[]).await;
    let expected =
        r#"{"status":"error","errorType":"timeout","error":"query timed out in query queue"}"#;
    assert_eq!((late.status.as_u16(), late.text()), (503, expected));

    // Whoever asked goes away, and the evaluation with them.
    running.abort();
    eventually_async("the slow query ends", PATIENCE, || async {
        (value(&queries, "pgvigil_queries_in_flight", "") == 0.0).then_some(())
    })
    .await;
    assert_eq!(
        value(&queries, "pgvigil_query_failures_total", "canceled"),
        1.0
    );
    assert_eq!(
        value(&queries, "pgvigil_query_failures_total", "timeout"),
        1.0
    );

    let short = ask_of(service.clone(), &format!("{slow}&timeout=0.01"), &[]).await;
    assert_eq!(short.status.as_u16(), 503, "{}", short.text());
    let words = r#"{"status":"error","errorType":"timeout","error":"query timed out in "#;
    assert!(short.text().starts_with(words), "{}", short.text());
    let next = ask_of(service, "/api/v1/query?query=1", &[]).await;
    assert_eq!(next.status.as_u16(), 200);
    assert!(value(&queries, "pgvigil_query_seconds_total", "") > 0.0);
}

#[tokio::test]
async fn pages_of_other_sites_may_be_kept_out() {
    let view = Arc::new(over(SAMPLES));
    let cors_origin = Some("https://(one|two)[.]example".to_owned());
    let settings = Settings {
        cors_origin,
        ..Settings::default()
    };
    let service = router(view, &settings);
    for (origin, admitted) in [
        ("https://one.example", true),
        ("https://two.example", true),
        ("https://two.example.evil", false),
        ("null", false),
    ] {
        let answer = ask_of(service.clone(), "/api/v1/labels", &[("origin", origin)]).await;
        let allowed = answer.headers.get("access-control-allow-origin");
        assert_eq!(allowed.is_some_and(|allowed| allowed == origin), admitted);
        assert_eq!(answer.headers["vary"], "Origin");
    }
}

#[tokio::test]
async fn stats_tell_what_was_measured() {
    let (service, _) = limited(api::Settings::default());
    let path = "/api/v1/query_range?query=up&start=0&end=10&step=1&stats=all";
    let answer: Value = serde_json::from_str(ask_of(service, path, &[]).await.text()).unwrap();
    let timings = answer["data"]["stats"]["timings"].as_object().unwrap();
    let times: Vec<&str> = timings.keys().map(String::as_str).collect();
    assert_eq!(times, ["evalTotalTime", "execQueueTime", "execTotalTime"]);
    assert!(
        timings
            .values()
            .all(|time| time.as_f64().is_some_and(|time| time >= 0.0))
    );
}
