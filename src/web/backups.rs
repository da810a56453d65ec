//! `/api/backups`: all that is known of backups, as JSON.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::{View, overview};
use crate::sample::Timestamp;

/// Markdown: what the answer holds.
pub(super) const REFERENCE: &str = include_str!("backups/reference.md");

/// It reads files, so that it is done aside.
pub(super) async fn account(State(view): State<Arc<View>>) -> Response {
    let draw = move || {
        overview::account(&view, Timestamp::now())
            .json()
            .to_string()
    };
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    match tokio::task::spawn_blocking(draw).await {
        Ok(text) => (headers, text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
