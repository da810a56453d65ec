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

use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::Response;
use axum::routing::any;
use axum::{Router, middleware};

use super::View;
use super::api::{Origins, allow};
use super::desk::{Desk, Refused, WARNING, fresh_id};
use crate::incident::{Event, Silence};
use crate::sample::Timestamp;

use query::Query;
use reply::Reply;

pub(super) use change::expire;

/// The largest silence that is read.
const MOST_BYTES: usize = 1 << 20;

/// How long it may take to come.
const PATIENCE: Duration = Duration::from_secs(30);

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
        (Place::Silences, "POST") => post(&desk, &headers, body).await,
        (Place::Silence(id), "DELETE") => delete(&desk, &headers, id).await,
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

/// `POST silences`: makes one, or changes one by its id.
async fn post(desk: &Desk, headers: &HeaderMap, body: Body) -> Response {
    if let Err(refused) = desk.may_change(headers).await {
        return turned_away(refused);
    }
    if let Err(refusal) = posted::is_json(headers) {
        return refusal.into();
    }
    let body = match tokio::time::timeout(PATIENCE, to_bytes(body, MOST_BYTES)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return Reply::Empty(StatusCode::PAYLOAD_TOO_LARGE).into(),
        Err(_) => return Reply::Empty(StatusCode::REQUEST_TIMEOUT).into(),
    };
    let Some(fresh) = fresh_id() else {
        return Reply::Empty(StatusCode::INTERNAL_SERVER_ERROR).into();
    };
    match changes(&desk.view, &body, fresh) {
        Ok((silences, id)) => {
            let answer = Reply::Data(serde_json::json!({ "silenceID": id }));
            write(desk, silences, answer).await
        }
        Err(refusal) => refusal.into(),
    }
}

/// The silences that a body asks for, and the id of the one that holds from now on.
fn changes(view: &View, body: &Bytes, fresh: String) -> Result<(Vec<Silence>, String), Reply> {
    let wanted = posted::read(body)?;
    let now = Timestamp::now();
    let change = view
        .ledger
        .read(|book| change::change(book, wanted, fresh, now));
    change.map_err(|refusal| Reply::Said(refusal.status, refusal.message))
}

/// `DELETE silence/{id}`: ends one.
async fn delete(desk: &Desk, headers: &HeaderMap, id: &str) -> Response {
    if let Err(refused) = desk.may_change(headers).await {
        return turned_away(refused);
    }
    if let Err(refusal) = silences::is_id(id) {
        return refusal.into();
    }
    let ended = desk
        .view
        .ledger
        .read(|book| Some(expire(book.silences.get(id)?, Timestamp::now())));
    match ended {
        Some(ended) => {
            let ended = Vec::from_iter(ended);
            write(desk, ended, Reply::Empty(StatusCode::OK)).await
        }
        None => Reply::Said(StatusCode::NOT_FOUND, change::NOT_FOUND.into()).into(),
    }
}

/// Answers once the silences are written down.
async fn write(desk: &Desk, silences: Vec<Silence>, answer: Reply) -> Response {
    let events = silences.into_iter().map(Event::Silenced).collect();
    let written = desk.record(events).await;
    let mut answer = Response::from(answer);
    if let Some(warning) = written.warning() {
        let warning = HeaderValue::from_static(warning);
        answer.headers_mut().insert(WARNING, warning);
    }
    answer
}

fn turned_away(refused: Refused) -> Response {
    let message = refused.message();
    let mut answer = Response::from(Reply::Said(refused.status(), message));
    if refused == Refused::Unknown {
        let ask = HeaderValue::from_static(r#"Basic realm="pgvigil", charset="UTF-8""#);
        let headers = answer.headers_mut();
        headers.insert(header::WWW_AUTHENTICATE, ask);
    }
    answer
}
