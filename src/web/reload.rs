//! `POST /-/reload`: takes a request to read the configuration again; hands on what whoever reads it says.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use tokio::sync::{mpsc, oneshot};

use super::View;

/// Where the answer to one request goes: every mistake of a configuration that is not used, or that it is.
pub type Reload = oneshot::Sender<Result<(), String>>;

/// Where the requests go.
pub type Reloads = mpsc::Sender<Reload>;

const OFF: &str = "reading the configuration again over HTTP is off\nhint: set `web.reload: true`, or send SIGHUP\n";

/// Answers when the configuration has been read, before it takes effect.
pub(super) async fn reload(State(view): State<Arc<View>>) -> (StatusCode, String) {
    let Some(reloads) = &view.reloads else {
        return (StatusCode::FORBIDDEN, OFF.into());
    };
    let (answer, answered) = oneshot::channel();
    let asked = reloads.send(answer).await;
    match (asked, answered.await) {
        (Ok(()), Ok(Ok(()))) => (StatusCode::OK, "configuration read again\n".into()),
        (Ok(()), Ok(Err(mistakes))) => (StatusCode::INTERNAL_SERVER_ERROR, mistakes),
        _ => (
            StatusCode::SERVICE_UNAVAILABLE,
            "pgvigil is stopping\n".into(),
        ),
    }
}
