//! Basic authentication against bcrypt hashes.
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

/// Paths that a container's or balancer's probe, which has no password, may ask.
const OPEN: [&str; 5] = ["/-/healthy", "/-/ready", "/primary", "/replica", "/read"];

/// Who may ask, and who has shown it.
pub(super) struct Gate {
    users: HashMap<String, String>,
    /// None when the system has no randomness to make one of: then nothing is remembered.
    key: Option<hmac::Key>,
    verified: Mutex<HashMap<String, hmac::Tag>>,
    /// Guessing must not take more than one core.
    turn: Semaphore,
}

impl Gate {
    /// For these names and hashes; `None` when there are none and everyone may ask.
    pub(super) fn of(users: &[(String, String)]) -> Option<Arc<Gate>> {
        (!users.is_empty()).then(|| {
            Arc::new(Gate {
                users: users.iter().cloned().collect(),
                key: hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new()).ok(),
                verified: Mutex::default(),
                turn: Semaphore::new(1),
            })
        })
    }

    async fn admits(&self, headers: &HeaderMap) -> bool {
        let Some((name, password)) = credentials(headers) else {
            return false;
        };
        self.remembers(&name, &password) || self.verifies(name, password).await
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
    if OPEN.contains(&request.uri().path()) || gate.admits(request.headers()).await {
        return next.run(request).await;
    }
    let ask = [(
        header::WWW_AUTHENTICATE,
        r#"Basic realm="pgvigil", charset="UTF-8""#,
    )];
    (StatusCode::UNAUTHORIZED, ask, "name and password, please\n").into_response()
}

fn credentials(headers: &HeaderMap) -> Option<(String, String)> {
    let header = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(BASE64_STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (name, password) = decoded.split_once(':')?;
    Some((name.to_owned(), password.to_owned()))
}
