//! `/-/acknowledge`, by which the command line says that somebody looks after an incident.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::act;
use super::form::{self, values};
use super::visitor::Visitor;
use crate::incident::{Acknowledgement, Event};
use crate::rules::Alert;
use crate::sample::Timestamp;
use crate::web::auth;
use crate::web::desk::{Desk, Refused};

/// `POST /-/acknowledge`, for the command line: `incident` (or how it begins), `by`, `comment`.
pub(super) async fn acknowledge(
    State(desk): State<Desk>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let visitor = match desk.may_change(&headers).await {
        Ok(caller) => Visitor::Known(caller),
        Err(refused) => return turned_away(refused),
    };
    let body = match form::read(body).await {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let [begins, by, comment] = values(&body, ["incident", "by", "comment"]);
    let incident = desk.view.ledger.read(|book| {
        let ids = book.firing().filter_map(Alert::incident);
        act::only(ids.filter(|id| !begins.is_empty() && id.starts_with(&begins)))
    });
    let incident = match incident {
        Ok(incident) => incident,
        Err(count) => {
            let message = format!("{count} open incidents begin with `{begins}`\n");
            return (StatusCode::NOT_FOUND, message).into_response();
        }
    };
    let now = Timestamp::now();
    let before = desk.acknowledged(&incident);
    let before = before.map(|word| format!("{}\n", act::instead(&word, now)));
    let before = before.unwrap_or_default();
    let word = Acknowledgement {
        incident: incident.clone(),
        at: now,
        by: visitor.signed(by.trim()),
        comment: act::cut(&comment),
    };
    let written = desk.record(vec![Event::Acknowledged(word)]).await;
    let warning = written
        .warning()
        .map(|warning| format!("warning: {warning}\n"));
    let warning = warning.unwrap_or_default();
    (
        StatusCode::OK,
        format!("{incident} is acknowledged\n{before}{warning}"),
    )
        .into_response()
}

fn turned_away(refused: Refused) -> Response {
    match refused {
        Refused::Unknown => auth::ask(),
        refused => (refused.status(), format!("{}\n", refused.message())).into_response(),
    }
}
