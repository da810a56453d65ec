//! What Grafana's Prometheus data source asks, in its way: forms, time ranges, selectors.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::Request;
use pgvigil::web::{Settings, router};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::corpus::encoded;
use super::{SAMPLES, over};

/// Each request with a place in its answer, and what must stand there.
fn requests() -> Vec<(
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    Value,
)> {
    let span = "start=1700000000&end=1700000300";
    let spanned = |parameters: &str| -> &'static str { format!("{parameters}&{span}").leak() };
    vec![
        // Its health check, and what it is talking to.
        (
            "POST",
            "query",
            "query=1%2B1&time=1700000000",
            "/data/result/1",
            json!("2"),
        ),
        (
            "GET",
            "status/buildinfo",
            "",
            "/data/version",
            json!("3.5.0"),
        ),
        // A data source that names features is taken for Mimir.
        ("GET", "status/buildinfo", "", "/data/features", Value::Null),
        // Panels.
        (
            "POST",
            "query_range",
            "query=sum(up) by (job)&start=1700000000&end=1700000300&step=15",
            "/data/result/0/metric/job",
            json!("one"),
        ),
        (
            "POST",
            "query",
            "query=up&time=1700000060",
            "/data/resultType",
            json!("vector"),
        ),
        (
            "POST",
            "query_exemplars",
            spanned("query=up"),
            "/data",
            json!([]),
        ),
        // Variables: label_names(), label_values(label), label_values(metric, label), metrics(), query_result().
        ("POST", "labels", span, "/data/0", json!("__name__")),
        (
            "GET",
            "label/job/values",
            span,
            "/data",
            json!(["one", "two"]),
        ),
        (
            "GET",
            "label/instance/values",
            spanned("match[]=up{job=\"one\"}"),
            "/data",
            json!(["a:1", "b:1"]),
        ),
        (
            "GET",
            "label/__name__/values",
            spanned("match[]={job=\"one\"}&limit=40000"),
            "/data/0",
            json!("latency_seconds_bucket"),
        ),
        // The metrics explorer and the query builder.
        (
            "POST",
            "series",
            spanned("match[]=up{job=\"two\"}"),
            "/data/0/instance",
            json!("c:1"),
        ),
        ("GET", "metadata", "limit=5000", "/status", json!("success")),
        (
            "POST",
            "labels",
            spanned("match[]={__name__=\"requests_total\"}"),
            "/data/1",
            json!("code"),
        ),
        // Its list of alerts.
        ("GET", "rules", "", "/data/groups", json!([])),
        ("GET", "alerts", "", "/data/alerts", json!([])),
    ]
}

#[tokio::test]
async fn what_grafana_asks_is_answered() {
    let service = router(Arc::new(over(SAMPLES)), &Settings::default());
    for (method, path, parameters, pointer, expected) in requests() {
        let parameters = encoded(parameters);
        let (query, form) = match method {
            "POST" => ("", parameters.as_str()),
            _ => (parameters.as_str(), ""),
        };
        let request = Request::builder()
            .method(method)
            .uri(format!("/api/v1/{path}?{query}"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(form.to_owned()));
        let response = service.clone().oneshot(request.unwrap()).await.unwrap();
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        let answer: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(answer["status"], "success", "{method} {path}: {answer}");
        let found = answer.pointer(pointer).cloned().unwrap_or_default();
        assert_eq!(found, expected, "{method} {path} {parameters}: {answer}");
    }
}
