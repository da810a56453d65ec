//! The part of Alertmanager's API under `/api/v2` by which amtool and Grafana see alerts and silence them.
//! Takes the view and a request; hands on what an Alertmanager with these receivers would answer.

mod alerts;
mod change;
mod filter;
mod groups;
mod posted;
mod query;
mod reply;
mod silences;
mod status;
mod write;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::Response;
use axum::routing::any;
use axum::{Router, middleware};

use super::View;
use super::api::{Origins, allow};
use super::desk::Desk;
use crate::sample::Timestamp;

use query::Query;
use reply::Reply;

pub(super) use change::expire;

/// Markdown: what there is, and what differs from Alertmanager.
pub(super) const REFERENCE: &str = include_str!("reference.md");

/// What there is, each at a path of its own.
#[derive(Debug, PartialEq)]
enum Place<'p> {
    Status,
    Receivers,
    Alerts,
    Groups,
    Silences,
    Silence(&'p str),
}

/// All paths. Pages of which origins may read the answers is said by a pattern.
pub(super) fn routes<S: Clone + Send + Sync + 'static>(
    desk: Desk,
    cors_origin: Option<&str>,
) -> Router<S> {
    let origins = Origins::matching(cors_origin);
    Router::new()
        .route("/api/v2/{*path}", any(answer))
        .layer(middleware::from_fn_with_state(origins, allow))
        .with_state(desk)
}

impl Place<'_> {
    fn of(path: &str) -> Option<Place<'_>> {
        Some(match path {
            "status" => Place::Status,
            "receivers" => Place::Receivers,
            "alerts" => Place::Alerts,
            "alerts/groups" => Place::Groups,
            "silences" => Place::Silences,
            _ => match path.strip_prefix("silence/")? {
                id if id.is_empty() || id.contains('/') => return None,
                id => Place::Silence(id),
            },
        })
    }

    /// The methods, as its message lists them.
    fn methods(&self) -> &'static str {
        match self {
            Place::Silences => "GET,POST",
            Place::Silence(_) => "DELETE,GET",
            _ => "GET",
        }
    }
}

async fn answer(
    State(desk): State<Desk>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Response {
    if method == Method::OPTIONS {
        return Reply::Empty(StatusCode::NO_CONTENT).into();
    }
    let path = uri.path().strip_prefix("/api/v2/").unwrap_or_default();
    let Some(place) = Place::of(path) else {
        let message = format!("path {} was not found", uri.path());
        return Reply::fault(StatusCode::NOT_FOUND, message).into();
    };
    let query = Query::read(uri.query().unwrap_or_default());
    match (&place, method.as_str()) {
        (Place::Silences, "POST") => write::post(&desk, &headers, body).await,
        (Place::Silence(id), "DELETE") => write::delete(&desk, &headers, id).await,
        (Place::Status, "GET") => look(&desk, |view, _| Ok(status::status(view))).await,
        (Place::Receivers, "GET") => look(&desk, |view, _| Ok(status::receivers(view))).await,
        (Place::Alerts, "GET") => {
            look(&desk, move |view, now| alerts::list(view, &query, now)).await
        }
        (Place::Groups, "GET") => {
            look(&desk, move |view, now| groups::list(view, &query, now)).await
        }
        (Place::Silences, "GET") => {
            look(&desk, move |view, now| silences::list(view, &query, now)).await
        }
        (Place::Silence(id), "GET") => {
            let id = (*id).to_owned();
            look(&desk, move |view, now| silences::one(view, &id, now)).await
        }
        (place, method) => {
            let methods = place.methods();
            let message = format!("method {method} is not allowed, but [{methods}] are");
            let mut refusal = Response::from(Reply::fault(StatusCode::METHOD_NOT_ALLOWED, message));
            let methods = HeaderValue::from_static(methods);
            refusal.headers_mut().insert(header::ALLOW, methods);
            refusal
        }
    }
}

/// What a look at the rooms gives: it may wait for whoever writes to them.
async fn look(
    desk: &Desk,
    find: impl FnOnce(&View, Timestamp) -> Result<Reply, Reply> + Send + 'static,
) -> Response {
    let view = desk.view.clone();
    let found = move || find(&view, Timestamp::now()).unwrap_or_else(|refusal| refusal);
    let found = tokio::task::spawn_blocking(found).await;
    found
        .unwrap_or(Reply::Empty(StatusCode::INTERNAL_SERVER_ERROR))
        .into()
}
