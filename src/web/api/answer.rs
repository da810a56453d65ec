//! What is sent back: Prometheus' envelope around the data, compressed where the client takes that.

use std::io::Write as _;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;

use super::failure::Failure;
use super::json::{array, object, text};

/// The data of an endpoint, and what is to be known about it.
#[derive(Debug, Default)]
pub(super) struct Answer {
    /// As JSON.
    pub(super) data: String,
    pub(super) warnings: Vec<String>,
    pub(super) infos: Vec<String>,
}

/// What went into `limit`, and more was there.
const TRUNCATED: &str = "results truncated due to limit";

impl Answer {
    /// Data that an endpoint writes.
    pub(super) fn written(write: impl FnOnce(&mut String)) -> Answer {
        let mut data = String::new();
        write(&mut data);
        Answer {
            data,
            ..Answer::default()
        }
    }

    /// Says that elements were left out.
    pub(super) fn truncated(mut self, truncated: bool) -> Answer {
        self.warnings
            .extend(truncated.then(|| TRUNCATED.to_owned()));
        self
    }
}

/// Keeps as many elements as are wanted (0 for all); says whether there were more.
pub(super) fn keep<T>(elements: &mut Vec<T>, limit: usize) -> bool {
    let truncated = limit > 0 && elements.len() > limit;
    if truncated {
        elements.truncate(limit);
    }
    truncated
}

/// The response in full. Takes its time with much data.
pub(super) fn respond(result: Result<Answer, Failure>, gzip: bool) -> Response {
    let (status, body) = match result {
        Ok(answer) => (StatusCode::OK, success(&answer)),
        Err(failure) => (failure.kind.status(), error(&failure)),
    };
    send(status, "application/json", body, gzip)
}

/// A text with its type.
pub(super) fn send(status: StatusCode, kind: &'static str, body: String, gzip: bool) -> Response {
    let packed = gzip.then(|| pack(body.as_bytes())).flatten();
    let encoding = packed.is_some().then_some("gzip");
    let body = packed.unwrap_or_else(|| body.into_bytes());
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Some(encoding) = encoding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    response
}

fn pack(body: &[u8]) -> Option<Vec<u8>> {
    let mut packing = GzEncoder::new(Vec::new(), Compression::fast());
    packing.write_all(body).ok()?;
    packing.finish().ok()
}

fn success(answer: &Answer) -> String {
    let mut body = String::with_capacity(answer.data.len() + 64);
    object(&mut body, |o| {
        o.text("status", "success");
        o.key("data").push_str(&answer.data);
        for (key, told) in [("warnings", &answer.warnings), ("infos", &answer.infos)] {
            if !told.is_empty() {
                array(o.key(key), told, |out, told| text(out, told));
            }
        }
    });
    body
}

fn error(failure: &Failure) -> String {
    let mut body = String::new();
    object(&mut body, |o| {
        o.text("status", "error");
        o.text("errorType", failure.kind.name());
        o.text("error", &failure.message);
    });
    body
}
