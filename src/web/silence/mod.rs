//! `/silence`, to which links in messages lead: what an incident says, and the questions what to do about it.
//! Takes a request; shows a page, and only when its form is sent hands an event to the ledger, for what reads mails
//! follows links.

mod act;
mod page;

use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use jiff::tz::TimeZone;
use maud::Markup;

use super::auth::{self, Caller};
use super::desk::{Desk, Refused, fresh_id};
use super::words;
use crate::incident::{Acknowledgement, Event};
use crate::notify::LinkError;
use crate::rules::Alert;
use crate::sample::Timestamp;

use act::Action;
use page::{Content, Said};

/// The largest form that is read.
const MOST_BYTES: usize = 64 << 10;

/// How long it may take to come.
const PATIENCE: Duration = Duration::from_secs(30);

/// The page asks for nothing from anywhere, its form comes back to where it is from, and no other page may frame it.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; base-uri 'none'; \
                      form-action 'self'; frame-ancestors 'none'";

/// Which incident is meant, and by what right.
#[derive(Debug)]
struct Asked {
    incident: String,
    expires: String,
    signature: String,
}

/// Who is let in.
#[derive(Debug, Clone)]
enum Visitor {
    /// Whoever has the link.
    Link,
    /// Somebody known.
    Known(Caller),
}

/// Why nobody is.
#[derive(Debug)]
enum Turned {
    Refused(Refused),
    Link(LinkError),
}

/// All paths.
pub(super) fn routes<S: Clone + Send + Sync + 'static>(desk: Desk) -> Router<S> {
    Router::new()
        .route("/silence", get(show).post(change))
        .route("/-/acknowledge", post(acknowledge))
        .with_state(desk)
}

impl Asked {
    fn read(uri: &Uri) -> Asked {
        let query = uri.query().unwrap_or_default().as_bytes();
        let [incident, expires, signature] = values(query, ["incident", "expires", "signature"]);
        Asked {
            incident,
            expires,
            signature,
        }
    }

    /// A link counts for itself; who comes without one must be known.
    async fn admit(&self, desk: &Desk, headers: &HeaderMap, acts: bool) -> Result<Visitor, Turned> {
        if self.signature.is_empty() {
            let known = match acts {
                true => desk.may_change(headers).await,
                false => desk.may_look(headers).await,
            };
            return known.map(Visitor::Known).map_err(Turned::Refused);
        }
        let links = desk.view.audience.links();
        let links = links.ok_or(Turned::Link(LinkError::Forged))?;
        let now = Timestamp::now();
        links
            .check(&self.incident, &self.expires, &self.signature, now)
            .map(|()| Visitor::Link)
            .map_err(Turned::Link)
    }
}

impl Visitor {
    /// The name they have shown.
    fn name(&self) -> Option<&str> {
        match self {
            Visitor::Link => None,
            Visitor::Known(caller) => caller.name.as_deref(),
        }
    }

    /// In whose name something is done, when they have said a name or not.
    fn signed(&self, said: &str) -> String {
        let usual = match self {
            Visitor::Link => "a link in a message",
            Visitor::Known(_) => "the token",
        };
        let said = Some(said).filter(|said| !said.is_empty());
        self.name().or(said).unwrap_or(usual).to_owned()
    }
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
    let body = match form(body).await {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let [action, silence, by, comment] = values(&body, ["action", "silence", "by", "comment"]);
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
    let narrow = matches!(visitor, Visitor::Link);
    let zone = TimeZone::system();
    let event = desk
        .view
        .ledger
        .read(|book| order.event(book, narrow, now, &zone));
    let Some(event) = event else {
        let said = Said::trouble("Nothing was changed: that silence is over, or not yours to end");
        return draw(&desk, &asked, &visitor, StatusCode::CONFLICT, said);
    };
    let done = act::told(&event, now);
    let said = Said {
        done,
        trouble: desk.record(vec![event]).await.warning().unwrap_or_default(),
    };
    draw(&desk, &asked, &visitor, StatusCode::OK, said)
}

/// `POST /-/acknowledge`, for the command line: `incident` (or how it begins), `by`, `comment`.
async fn acknowledge(State(desk): State<Desk>, headers: HeaderMap, body: Body) -> Response {
    let visitor = match desk.may_change(&headers).await {
        Ok(caller) => Visitor::Known(caller),
        Err(refused) => return turned_away(refused),
    };
    let body = match form(body).await {
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
    let word = Acknowledgement {
        incident: incident.clone(),
        at: Timestamp::now(),
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
        format!("{incident} is acknowledged\n{warning}"),
    )
        .into_response()
}

fn incident(desk: &Desk, id: &str) -> Option<Alert> {
    desk.view.ledger.read(|book| book.incident(id).cloned())
}

/// The page, as things stand now.
fn draw(desk: &Desk, asked: &Asked, visitor: &Visitor, status: StatusCode, said: Said) -> Response {
    let now = Timestamp::now();
    let zone = TimeZone::system();
    let narrow = matches!(visitor, Visitor::Link);
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

impl IntoResponse for Turned {
    fn into_response(self) -> Response {
        let (title, text) = match self {
            Turned::Refused(Refused::Unknown) => return auth::ask(),
            Turned::Refused(refused) => {
                let page = page::notice(refused.cause(), refused.way_out());
                return sent(refused.status(), page);
            }
            Turned::Link(LinkError::Forged) => (
                "This link does not hold",
                "It is not whole, or pgvigil has another key than the one it was signed with. Take the link from the \
                 message once more.",
            ),
            Turned::Link(LinkError::Expired) => (
                "This link has expired",
                "A link holds for a day. While the incident goes on, the next message has a new one.",
            ),
        };
        let status = match self {
            Turned::Link(LinkError::Expired) => StatusCode::GONE,
            _ => StatusCode::FORBIDDEN,
        };
        sent(status, page::notice(title, text))
    }
}

fn turned_away(refused: Refused) -> Response {
    match refused {
        Refused::Unknown => auth::ask(),
        refused => (refused.status(), format!("{}\n", refused.message())).into_response(),
    }
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

async fn form(body: Body) -> Result<Vec<u8>, Response> {
    match tokio::time::timeout(PATIENCE, to_bytes(body, MOST_BYTES)).await {
        Ok(Ok(body)) => Ok(body.to_vec()),
        Ok(Err(_)) => Err(StatusCode::PAYLOAD_TOO_LARGE.into_response()),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT.into_response()),
    }
}

/// The first value of each name in a form or a query; empty where there is none.
fn values<const N: usize>(encoded: &[u8], names: [&str; N]) -> [String; N] {
    names.map(|wanted| {
        let mut pairs = form_urlencoded::parse(encoded);
        let found = pairs.find(|(name, _)| name == wanted);
        found
            .map(|(_, value)| value.into_owned())
            .unwrap_or_default()
    })
}
