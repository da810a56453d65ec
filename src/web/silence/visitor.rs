//! Who is let in to the page, and what the others are told.

use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use super::form::values;
use super::{page, sent};
use crate::notify::LinkError;
use crate::sample::Timestamp;
use crate::web::auth::{self, Caller};
use crate::web::desk::{Desk, Refused};

/// Which incident is meant, and by what right.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) incident: String,
    expires: String,
    signature: String,
}

/// Who is let in.
#[derive(Debug, Clone)]
pub(super) enum Visitor {
    /// Whoever has the link.
    Link,
    /// Somebody known.
    Known(Caller),
}

/// Why nobody is.
#[derive(Debug)]
pub(super) enum Turned {
    Refused(Refused),
    Link(LinkError),
}

impl Asked {
    pub(super) fn read(uri: &Uri) -> Asked {
        let query = uri.query().unwrap_or_default().as_bytes();
        let [incident, expires, signature] = values(query, ["incident", "expires", "signature"]);
        Asked {
            incident,
            expires,
            signature,
        }
    }

    /// A link counts for itself; who comes without one must be known.
    pub(super) async fn admit(
        &self,
        desk: &Desk,
        headers: &HeaderMap,
        acts: bool,
    ) -> Result<Visitor, Turned> {
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
    pub(super) fn name(&self) -> Option<&str> {
        match self {
            Visitor::Link => None,
            Visitor::Known(caller) => caller.name.as_deref(),
        }
    }

    /// Whether they may end only what they could have made.
    pub(super) fn is_narrow(&self) -> bool {
        matches!(self, Visitor::Link)
    }

    /// In whose name something is done, when they have said a name or not.
    pub(super) fn signed(&self, said: &str) -> String {
        let usual = match self {
            Visitor::Link => "a link in a message",
            Visitor::Known(_) => "the token",
        };
        let said = Some(said).filter(|said| !said.is_empty());
        self.name().or(said).unwrap_or(usual).to_owned()
    }
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
