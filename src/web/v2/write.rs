//! What changes silences: who may, what the book says to it, and the answer once it is written down.

use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;

use super::reply::Reply;
use super::{change, posted, silences};
use crate::incident::{Event, Silence};
use crate::sample::Timestamp;
use crate::web::View;
use crate::web::desk::{Desk, Refused, WARNING, fresh_id};

/// The largest silence that is read.
const MOST_BYTES: usize = 1 << 20;

/// How long it may take to come.
const PATIENCE: Duration = Duration::from_secs(30);

/// `POST silences`: makes one, or changes one by its id.
pub(super) async fn post(desk: &Desk, headers: &HeaderMap, body: Body) -> Response {
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
pub(super) async fn delete(desk: &Desk, headers: &HeaderMap, id: &str) -> Response {
    if let Err(refused) = desk.may_change(headers).await {
        return turned_away(refused);
    }
    if let Err(refusal) = silences::is_id(id) {
        return refusal.into();
    }
    let ended = desk
        .view
        .ledger
        .read(|book| Some(change::expire(book.silences.get(id)?, Timestamp::now())));
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
