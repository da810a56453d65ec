//! Basic authentication against bcrypt hashes, and the token.
//! A hash costs a tenth of a second by design, so what was once verified is remembered, under a key that dies with us.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ring::hmac;
use ring::rand::SystemRandom;
use tokio::sync::Semaphore;

use super::Settings;
use crate::document::Secret;

/// Paths that a container's or balancer's probe, which has no password, may ask; and the one to which links in messages
/// lead, which looks for itself who asks.
const OPEN: [&str; 6] = [
    "/-/healthy",
    "/-/ready",
    "/primary",
    "/replica",
    "/read",
    "/silence",
];

/// Who may ask, and who has shown it.
#[derive(Debug)]
pub(super) struct Gate {
    users: HashMap<String, String>,
    token: Option<Secret>,
    /// None when the system has no randomness to make one of: then nothing is remembered.
    key: Option<hmac::Key>,
    verified: Mutex<HashMap<String, hmac::Tag>>,
    /// Guessing must not take more than one core.
    turn: Semaphore,
}

/// Somebody who has shown who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Caller {
    /// The name that was given; a bare token comes without one.
    pub(super) name: Option<String>,
    /// Whether a browser shows it by itself, so that the request may be another page's doing.
    pub(super) by_itself: bool,
}

/// What a request shows.
#[derive(Debug, PartialEq)]
enum Credentials {
    Password(String, String),
    Token(String),
}

impl Gate {
    /// For the users and the token of some settings.
    pub(super) fn of(settings: &Settings) -> Arc<Gate> {
        Arc::new(Gate {
            users: settings.users.iter().cloned().collect(),
            token: settings.token.clone(),
            key: hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new()).ok(),
            verified: Mutex::default(),
            turn: Semaphore::new(1),
        })
    }

    /// Whether nobody may ask for anything without showing who they are.
    pub(super) fn is_shut(&self) -> bool {
        !self.users.is_empty()
    }

    /// Whether anybody can show who they are.
    pub(super) fn knows_anybody(&self) -> bool {
        self.is_shut() || self.token.is_some()
    }

    /// Who asks, when they have shown it.
    pub(super) async fn who(&self, headers: &HeaderMap) -> Option<Caller> {
        match credentials(headers)? {
            Credentials::Token(token) => self.is_token(token).await.then_some(Caller {
                name: None,
                by_itself: false,
            }),
            Credentials::Password(name, password) => {
                let known = self.remembers(&name, &password)
                    || self.is_token(password.clone()).await
                    || self.verifies(name.clone(), password).await;
                known.then_some(Caller {
                    name: Some(name).filter(|name| !name.is_empty()),
                    by_itself: true,
                })
            }
        }
    }

    /// Compares in constant time. The token may be in a file, which is read each time.
    async fn is_token(&self, shown: String) -> bool {
        let Some(token) = self.token.clone() else {
            return false;
        };
        let compare = move || {
            let token = token.reveal().unwrap_or_else(|error| {
                tracing::warn!(error, "the token cannot be read, so that nobody has it");
                String::new()
            });
            let key = hmac::Key::new(hmac::HMAC_SHA256, &[]);
            let right = hmac::sign(&key, token.as_bytes());
            !token.is_empty() && hmac::verify(&key, shown.as_bytes(), right.as_ref()).is_ok()
        };
        tokio::task::spawn_blocking(compare).await.unwrap_or(false)
    }

    async fn verifies(&self, name: String, password: String) -> bool {
        // An unknown name costs a hash like a known one, so that the time of the answer does not tell them apart.
        let known = self.users.get(&name);
        let Some(hash) = known.or_else(|| self.users.values().next()).cloned() else {
            return false;
        };
        let Ok(_turn) = self.turn.acquire().await else {
            return false;
        };
        let tag = self
            .key
            .as_ref()
            .map(|key| hmac::sign(key, password.as_bytes()));
        let verify = move || bcrypt::verify(password, &hash).unwrap_or(false);
        let right = tokio::task::spawn_blocking(verify).await.unwrap_or(false) && known.is_some();
        if let (true, Some(tag)) = (right, tag) {
            let mut verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
            verified.insert(name, tag);
        }
        right
    }

    fn remembers(&self, name: &str, password: &str) -> bool {
        let verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        let (Some(key), Some(tag)) = (&self.key, verified.get(name)) else {
            return false;
        };
        // Compares in constant time.
        hmac::verify(key, password.as_bytes(), tag.as_ref()).is_ok()
    }
}

/// The layer that lets a request pass or asks for name and password.
pub(super) async fn guard(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    if OPEN.contains(&request.uri().path()) || gate.who(request.headers()).await.is_some() {
        return next.run(request).await;
    }
    ask()
}

/// Asks for name and password.
pub(super) fn ask() -> Response {
    let ask = [(
        header::WWW_AUTHENTICATE,
        r#"Basic realm="pgvigil", charset="UTF-8""#,
    )];
    (StatusCode::UNAUTHORIZED, ask, "name and password, please\n").into_response()
}

fn credentials(headers: &HeaderMap) -> Option<Credentials> {
    let header = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, shown) = header.split_once(' ')?;
    let shown = shown.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(Credentials::Token(shown.to_owned()));
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(BASE64_STANDARD.decode(shown).ok()?).ok()?;
    let (name, password) = decoded.split_once(':')?;
    Some(Credentials::Password(name.to_owned(), password.to_owned()))
}
