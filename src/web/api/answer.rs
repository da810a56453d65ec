//! What is sent back: Prometheus' envelope around the data, compressed where the client takes that.

use std::borrow::Cow;
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

/// No more warnings than this are told, and no more infos.
const MOST_TOLD: usize = 10;

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
        for (key, kind, told) in [
            ("warnings", "warning", &answer.warnings),
            ("infos", "info", &answer.infos),
        ] {
            if !told.is_empty() {
                let told = shortened(told, kind);
                array(o.key(key), told, |out, told| text(out, &told));
            }
        }
    });
    body
}

/// The first of them, and how many more there would be.
fn shortened<'t>(told: &'t [String], kind: &str) -> impl Iterator<Item = Cow<'t, str>> {
    let more = told.len().saturating_sub(MOST_TOLD);
    let more = (more > 0).then(|| format!("{more} more {kind} annotations omitted"));
    let first = told.iter().take(MOST_TOLD).map(|told| told.as_str().into());
    first.chain(more.map(Cow::from))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_notes_ten_are_told() {
        let told = |count: usize| (0..count).map(|n| n.to_string()).collect::<Vec<_>>();
        let ten = told(10);
        assert!(shortened(&ten, "info").eq(ten.iter().map(String::as_str)));
        let twelve = told(12);
        let shown: Vec<_> = shortened(&twelve, "info").collect();
        assert_eq!(shown.len(), 11);
        assert_eq!(shown[10], "2 more info annotations omitted");
    }
}
