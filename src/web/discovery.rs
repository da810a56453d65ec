//! `/sd`: the watched servers as Prometheus' HTTP service discovery wants them, each a target of `/probe`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::View;

/// Answers with the address under which it was asked, for there Prometheus reaches pgvigil.
pub(super) async fn targets(State(view): State<Arc<View>>, headers: HeaderMap) -> Response {
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let Some(host) = host.filter(|host| !host.is_empty()) else {
        let message = "the request has no `Host`, by which pgvigil would know its own address\n";
        return (StatusCode::BAD_REQUEST, message).into_response();
    };
    let names = view.targets.iter().map(|target| &target.server);
    Json(names.map(|name| target(host, name)).collect::<Value>()).into_response()
}

fn target(host: &str, server: &str) -> Value {
    json!({
        "targets": [host],
        "labels": {
            "__metrics_path__": "/probe",
            "__param_target": server,
            "__meta_pgvigil_server": server,
            "instance": server,
        },
    })
}
