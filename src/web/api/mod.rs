//! The HTTP API of Prometheus under `/api/v1`, and `/federate`, so that its clients read pgvigil directly.
//! Takes the view and a request; hands on what a Prometheus over the same series would answer.

mod answer;
mod cors;
mod endpoint;
mod failure;
mod federate;
mod json;
mod metadata;
mod parameters;
mod query;
mod queue;
mod rules;
mod series;
mod settings;
mod status;
mod targets;
mod times;
mod tsdb;

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use axum::{Router, middleware};

use super::View;
use super::exposition::gzipped;
use crate::rules::{Group, Statuses};
use crate::sample::{Labels, Timestamp};

use answer::respond;
use endpoint::{Endpoint, Work};
use failure::Failure;
use parameters::Parameters;

pub(super) use cors::{Origins, allow, pattern};
pub use endpoint::reference;
pub use queue::{METRICS, Queries};
pub use settings::Settings;
pub use targets::Watched;

/// The largest form that is read.
const MOST_BYTES: usize = 10 << 20;

/// How long a form may take to come.
const PATIENCE: Duration = Duration::from_secs(30);

const FORM: &str = "application/x-www-form-urlencoded";

/// What the API tells beside what the pages show.
#[derive(Debug)]
pub struct Api {
    /// The rules in force.
    pub groups: Vec<Group>,
    /// How their evaluation goes.
    pub statuses: Arc<Statuses>,
    /// Everything that is read, in the order of the configuration.
    pub watched: Vec<Watched>,
    /// The addresses at which Alertmanagers are told.
    pub alertmanagers: Vec<String>,
    /// The labels that `/federate` adds.
    pub external_labels: Labels,
    /// The configuration as YAML, without secrets.
    pub config: String,
    /// The command line's words for what holds, and their values.
    pub flags: Vec<(&'static str, String)>,
    /// How long samples are kept, in words.
    pub retention: String,
    /// The queries of others.
    pub queries: Arc<Queries>,
}

/// A request, understood as far as all endpoints have it in common.
struct Asked {
    view: Arc<View>,
    parameters: Parameters,
    /// What stands in the path for `NAME`, as bytes.
    name: Vec<u8>,
    now: Timestamp,
}

/// All paths of the API. Pages of which origins may read the answers is said by a pattern.
pub(super) fn routes(cors_origin: Option<&str>) -> Router<Arc<View>> {
    let origins = Origins::matching(cors_origin);
    Router::new()
        .route("/api/v1/{*path}", any(answer))
        .layer(middleware::from_fn_with_state(origins, cors::allow))
        .route("/federate", any(federate))
}

/// The form of a request, as far as it comes in time.
async fn read(body: Body) -> Result<Bytes, Response> {
    match tokio::time::timeout(PATIENCE, to_bytes(body, MOST_BYTES)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(_)) => {
            let message = format!("error parsing form values: it has more than {MOST_BYTES} bytes");
            Err(respond(Err(Failure::bad_data(message)), false))
        }
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT.into_response()),
    }
}

async fn answer(
    State(view): State<Arc<View>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Response {
    if method == Method::OPTIONS {
        return StatusCode::NO_CONTENT.into_response();
    }
    let path = uri.path().strip_prefix("/api/v1/").unwrap_or_default();
    let Some((endpoint, name)) = endpoint::find(path) else {
        return plain(StatusCode::NOT_FOUND, "404 page not found\n");
    };
    if !endpoint.takes(&method) {
        return not_allowed(endpoint.methods());
    }
    let body = match read(body).await {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let asked = Asked {
        view,
        parameters: parameters(&method, &uri, &headers, &body),
        name,
        now: Timestamp::now(),
    };
    work(endpoint, asked, gzipped(&headers)).await
}

async fn work(endpoint: &'static Endpoint, asked: Asked, gzip: bool) -> Response {
    let finished = match endpoint.work {
        Work::Look(look) => {
            let look = move || respond(look(&asked), gzip);
            tokio::task::spawn_blocking(look).await.ok()
        }
        Work::Evaluate(read) => match read(&asked) {
            Err(failure) => Some(respond(Err(failure), gzip)),
            Ok(job) => {
                let (queries, store) = (asked.view.api.queries.clone(), asked.view.store.clone());
                let finish = move |result| respond(result, gzip);
                queries.run(store, job, finish).await
            }
        },
    };
    finished.unwrap_or_else(|| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

async fn federate(
    State(view): State<Arc<View>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    if method == Method::OPTIONS {
        return StatusCode::NO_CONTENT.into_response();
    }
    if method != Method::GET {
        return not_allowed("GET, OPTIONS");
    }
    let asked = Asked {
        view,
        parameters: parameters(&method, &uri, &headers, &[]),
        name: Vec::new(),
        now: Timestamp::now(),
    };
    let gzip = gzipped(&headers);
    let write = move || federate::page(&asked, gzip);
    let page = tokio::task::spawn_blocking(write).await;
    page.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

/// A form counts where it was sent as one.
fn parameters(method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Parameters {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let form = *method == Method::POST && kind.eq_ignore_ascii_case(FORM);
    let form = if form { body } else { &[] };
    Parameters::read(form, uri.query().unwrap_or_default())
}

fn not_allowed(methods: &'static str) -> Response {
    let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed\n");
    let methods = HeaderValue::from_static(methods);
    response.headers_mut().insert(header::ALLOW, methods);
    response
}

fn plain(status: StatusCode, text: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (status, headers, text).into_response()
}
