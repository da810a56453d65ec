//! The pages for people, without a socket: each is drawn up from the view when it is asked for.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use maud::Markup;

use super::{View, overview, page};
use crate::sample::Timestamp;

/// No page asks for anything from anywhere, and no other page may frame it.
pub(super) const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";

/// Their paths.
pub(super) fn routes() -> Router<Arc<View>> {
    Router::new()
        .route("/", get(status))
        .route("/incidents", get(incidents))
        .route("/incident/{id}", get(incident))
        .route("/rules", get(rules))
        .route("/advice", get(advice))
        .route("/graph", get(graph))
}

async fn status(State(view): State<Arc<View>>) -> Response {
    drawn(move |now| page::page(&overview::overview(&view, now))).await
}

async fn incidents(State(view): State<Arc<View>>) -> Response {
    drawn(move |now| page::history(&overview::history(&view, now))).await
}

async fn rules(State(view): State<Arc<View>>) -> Response {
    drawn(move |now| page::rules(&overview::rules(&view, now))).await
}

async fn advice(State(view): State<Arc<View>>) -> Response {
    drawn(move |now| page::advice(&overview::advice(&view, now))).await
}

#[derive(serde::Deserialize)]
struct Asked {
    #[serde(rename = "g0.expr", default)]
    expression: String,
}

/// Under the address and with the parameter of Prometheus' own page.
async fn graph(State(view): State<Arc<View>>, Query(asked): Query<Asked>) -> Response {
    drawn(move |now| page::graph(&overview::graph(&view, &asked.expression, now))).await
}

async fn incident(State(view): State<Arc<View>>, Path(id): Path<String>) -> Response {
    answer(move |now| match overview::story(&view, &id, now) {
        Some(story) => (StatusCode::OK, page::incident(&story)),
        None => {
            let edition = overview::edition(&view, now);
            (StatusCode::NOT_FOUND, page::unknown_incident(edition))
        }
    })
    .await
}

async fn drawn(draw: impl FnOnce(Timestamp) -> Markup + Send + 'static) -> Response {
    answer(move |now| (StatusCode::OK, draw(now))).await
}

/// Reading the store and the book takes its time, so that it is done aside.
async fn answer(draw: impl FnOnce(Timestamp) -> (StatusCode, Markup) + Send + 'static) -> Response {
    let drawn = tokio::task::spawn_blocking(move || {
        let (status, markup) = draw(Timestamp::now());
        (status, markup.into_string())
    });
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    match drawn.await {
        Ok((status, page)) => (status, headers, page).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
