//! What is sent back, in the three shapes that Alertmanager has.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// An answer.
#[derive(Debug, PartialEq)]
pub(super) enum Reply {
    /// Data.
    Data(Value),
    /// What is wrong, by Alertmanager's own word.
    Said(StatusCode, String),
    /// What is wrong with the request as such, with a code.
    Fault(StatusCode, u16, String),
    /// The status is all there is to say.
    Empty(StatusCode),
}

impl Reply {
    /// A fault whose code is that of its status.
    pub(super) fn fault(status: StatusCode, message: String) -> Reply {
        Reply::Fault(status, status.as_u16(), message)
    }

    /// A wrong parameter.
    pub(super) fn bad(message: String) -> Reply {
        Reply::Said(StatusCode::BAD_REQUEST, message)
    }
}

impl From<Reply> for Response {
    fn from(reply: Reply) -> Response {
        let (status, body) = match reply {
            Reply::Data(data) => (StatusCode::OK, format!("{data}\n")),
            Reply::Said(status, message) => (status, format!("{}\n", Value::from(message))),
            Reply::Fault(status, code, message) => (
                status,
                json!({"code": code, "message": message}).to_string(),
            ),
            Reply::Empty(status) => return status.into_response(),
        };
        (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
    }
}
