//! `/silence`, to which links in messages lead: what an incident says, and the questions what to do about it.
//! Takes a request; shows a page, and only when its form is sent hands an event to the ledger, for what reads mails
//! follows links.

mod acknowledge;
mod act;
mod form;
mod page;
mod visitor;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use jiff::tz::TimeZone;
use maud::Markup;

use super::desk::{Desk, fresh_id};
use super::words;
use crate::rules::Alert;
use crate::sample::Timestamp;

use acknowledge::acknowledge;
use act::Action;
use page::{Content, Said};
use visitor::{Asked, Visitor};

/// The page asks for nothing from anywhere, its form comes back to where it is from, and no other page may frame it.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; base-uri 'none'; \
                      form-action 'self'; frame-ancestors 'none'";

/// All paths.
pub(super) fn routes<S: Clone + Send + Sync + 'static>(desk: Desk) -> Router<S> {
    Router::new()
        .route("/silence", get(show).post(change))
        .route("/-/acknowledge", post(acknowledge))
        .with_state(desk)
}

async fn show(State(desk): State<Desk>, uri: Uri, headers: HeaderMap) -> Response {
    let asked = Asked::read(&uri);
    match asked.admit(&desk, &headers, false).await {
        Ok(visitor) => draw(&desk, &asked, &visitor, StatusCode::OK, Said::default()),
        Err(turned) => turned.into_response(),
    }
}

async fn change(State(desk): State<Desk>, uri: Uri, headers: HeaderMap, body: Body) -> Response {
    let asked = Asked::read(&uri);
    let visitor = match asked.admit(&desk, &headers, true).await {
        Ok(visitor) => visitor,
        Err(turned) => return turned.into_response(),
    };
    let body = match form::read(body).await {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let [action, silence, by, comment] =
        form::values(&body, ["action", "silence", "by", "comment"]);
    let Some(alert) = incident(&desk, &asked.incident) else {
        return unknown();
    };
    let (Some(action), Some(id)) = (Action::read(&action, silence), fresh_id()) else {
        let said = Said::trouble("Nothing was changed: the form is not one of this page");
        return draw(&desk, &asked, &visitor, StatusCode::BAD_REQUEST, said);
    };
    let now = Timestamp::now();
    let order = act::Order {
        action,
        incident: &asked.incident,
        alert: &alert,
        by: visitor.signed(by.trim()),
        comment,
        id,
    };
    let narrow = visitor.is_narrow();
    let zone = TimeZone::system();
    let event = desk
        .view
        .ledger
        .read(|book| order.event(book, narrow, now, &zone));
    let Some(event) = event else {
        let said = Said::trouble("Nothing was changed: that silence is over, or not yours to end");
        return draw(&desk, &asked, &visitor, StatusCode::CONFLICT, said);
    };
    let before = desk.acknowledged(&asked.incident);
    let done = act::told(&event, before.as_ref(), now);
    let said = Said {
        done,
        trouble: desk.record(vec![event]).await.warning().unwrap_or_default(),
    };
    draw(&desk, &asked, &visitor, StatusCode::OK, said)
}

fn incident(desk: &Desk, id: &str) -> Option<Alert> {
    desk.view.ledger.read(|book| book.incident(id).cloned())
}

/// The page, as things stand now.
fn draw(desk: &Desk, asked: &Asked, visitor: &Visitor, status: StatusCode, said: Said) -> Response {
    let now = Timestamp::now();
    let zone = TimeZone::system();
    let narrow = visitor.is_narrow();
    let drawn = desk.view.ledger.read(|book| {
        let alert = book.incident(&asked.incident)?;
        let content = Content {
            incident: &asked.incident,
            alert,
            acknowledged: book.acknowledged.get(&asked.incident),
            silences: act::holding(book, alert, narrow, now),
            name: visitor.name(),
            said,
            now,
            zone: &zone,
        };
        Some(content.page())
    });
    drawn.map_or_else(unknown, |page| sent(status, page))
}

fn unknown() -> Response {
    sent(
        StatusCode::NOT_FOUND,
        page::notice(
            "This incident is not known any more",
            "It ended a while ago, or never was.",
        ),
    )
}

/// With a policy for where the page may look. It may say where it comes from to itself, so that its form is known for
/// its own, and to nobody else, for its address may open something.
fn sent(status: StatusCode, page: Markup) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (status, headers, page.into_string()).into_response()
}
