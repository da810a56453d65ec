//! Which pages of other sites may read an answer: all, as with Prometheus, unless `web.cors_origin` says otherwise.
//! Browsers send no password along, since nothing allows them to.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use regex::Regex;

const GRANTED: [(header::HeaderName, HeaderValue); 3] = [
    (
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        HeaderValue::from_static("Accept, Authorization, Content-Type, Origin"),
    ),
    (
        header::ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("GET, POST, OPTIONS"),
    ),
    (
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("Date"),
    ),
];

/// Whose pages may read.
pub(in crate::web) struct Origins(Option<Regex>);

/// A pattern that an origin as a whole must match.
///
/// # Errors
/// It is no regular expression.
pub(in crate::web) fn pattern(text: &str) -> Result<Regex, String> {
    Regex::new(&format!("^(?:{text})$")).map_err(|_| format!("`{text}` is no regular expression"))
}

impl Origins {
    /// Those that match a pattern; all without one.
    pub(in crate::web) fn matching(text: Option<&str>) -> Arc<Origins> {
        Arc::new(Origins(text.and_then(|text| pattern(text).ok())))
    }

    fn admit(&self, origin: &HeaderValue) -> bool {
        let origin = origin.to_str().unwrap_or_default();
        self.0
            .as_ref()
            .is_none_or(|pattern| pattern.is_match(origin))
    }
}

/// The layer that allows the page that asks to read the answer of an endpoint.
pub(in crate::web) async fn allow(
    State(origins): State<Arc<Origins>>,
    request: Request,
    next: Next,
) -> Response {
    let origin = request.headers().get(header::ORIGIN).cloned();
    let mut response = next.run(request).await;
    let nowhere = [StatusCode::NOT_FOUND, StatusCode::METHOD_NOT_ALLOWED];
    if nowhere.contains(&response.status()) {
        return response;
    }
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = origin.filter(|origin| origins.admit(origin)) {
        headers.extend(GRANTED);
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
    response
}
