//! Forms as browsers send them.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

/// The largest form that is read.
const MOST_BYTES: usize = 64 << 10;

/// How long it may take to come.
const PATIENCE: Duration = Duration::from_secs(30);

/// The form of a request, as far as it comes in time.
pub(super) async fn read(body: Body) -> Result<Vec<u8>, Response> {
    match tokio::time::timeout(PATIENCE, to_bytes(body, MOST_BYTES)).await {
        Ok(Ok(body)) => Ok(body.to_vec()),
        Ok(Err(_)) => Err(StatusCode::PAYLOAD_TOO_LARGE.into_response()),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT.into_response()),
    }
}

/// The first value of each name in a form or a query; empty where there is none.
pub(super) fn values<const N: usize>(encoded: &[u8], names: [&str; N]) -> [String; N] {
    names.map(|wanted| {
        let mut pairs = form_urlencoded::parse(encoded);
        let found = pairs.find(|(name, _)| name == wanted);
        found
            .map(|(_, value)| value.into_owned())
            .unwrap_or_default()
    })
}
