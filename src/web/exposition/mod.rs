//! `/metrics`: the board in Prometheus text 0.0.4 or OpenMetrics 1.0, rendered on the first request after a change.
//! Takes the board and what the client accepts; hands on the answer.

mod accept;
mod ages;
mod cache;
mod families;
mod gzip;
mod openmetrics;
mod text;

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::server;
use crate::sample::{Metric, Source, Timestamp};
use crate::scrape::Board;

use accept::{Format, takes_gzip};
use ages::AGE;
use cache::{Cache, Text, Wanted};
use gzip::Beginning;

/// Every metric that exists on the page alone.
pub const METRICS: &[Metric] = &[AGE];

/// The board as it is told to scrapers.
#[derive(Debug)]
pub(super) struct Exposition {
    board: Arc<Board>,
    servers: Vec<Arc<str>>,
    text_only: bool,
    cache: Cache,
}

impl Exposition {
    /// Over a board that watches these servers. With `text_only` nobody is offered OpenMetrics, which forbids many of
    /// the older names.
    pub(super) fn new(board: Arc<Board>, servers: Vec<Arc<str>>, text_only: bool) -> Self {
        Exposition {
            board,
            servers,
            text_only,
            cache: Cache::default(),
        }
    }

    /// The answer to one scrape, of one server where it is named.
    pub(super) async fn answer(
        self: Arc<Self>,
        headers: &HeaderMap,
        server: Option<&str>,
    ) -> Response {
        let server = match server.map(|name| server::named(&self.servers, Some(name))) {
            Some(Ok(known)) => Some(known.clone()),
            Some(Err(refusal)) => return refusal.into_response(),
            None => None,
        };
        let wanted = Wanted {
            format: if self.text_only {
                Format::Text
            } else {
                Format::negotiate(&joined(headers, header::ACCEPT))
            },
            gzip: takes_gzip(&joined(headers, header::ACCEPT_ENCODING)),
            server,
        };
        let page = match self.cache.get(&wanted, self.board.generation()) {
            Some(page) => page,
            None => {
                let (exposition, wanted) = (self.clone(), wanted.clone());
                match tokio::task::spawn_blocking(move || exposition.render(&wanted)).await {
                    Ok(page) => page,
                    Err(_) => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
                }
            }
        };
        let tail = self.tail(&wanted, Timestamp::now());
        respond(wanted.format, page, &tail)
    }

    fn render(&self, wanted: &Wanted) -> Text {
        let generation = || self.board.generation();
        self.cache.fill(wanted, generation, || {
            let mut families = families::gather(&self.board.current(), wanted.server.as_deref());
            families.retain(|rows| *rows.family.name != *AGE.name);
            let text = write(wanted.format, families);
            if wanted.gzip {
                Text::Gzip(Beginning::of(&text))
            } else {
                Text::Plain(text.into())
            }
        })
    }

    fn tail(&self, wanted: &Wanted, now: Timestamp) -> String {
        let several = self.servers.len() > 1;
        let statuses = self.board.statuses();
        let ages = ages::ages(&statuses, wanted.server.as_deref(), several, now);
        let families = families::gather(&[(Source::new("", "", ""), ages.into())], None);
        let mut tail = write(wanted.format, families);
        if wanted.format == Format::OpenMetrics {
            tail.push_str("# EOF\n");
        }
        tail
    }
}

fn write(format: Format, families: Vec<families::Rows>) -> String {
    match format {
        Format::Text => text::write(&families),
        Format::OpenMetrics => openmetrics::write(families),
    }
}

fn respond(format: Format, page: Text, tail: &str) -> Response {
    let (parts, encoding) = match page {
        Text::Plain(text) => ([text, Bytes::copy_from_slice(tail.as_bytes())], None),
        Text::Gzip(beginning) => ([beginning.bytes.clone(), beginning.end(tail)], Some("gzip")),
    };
    let length: usize = parts.iter().map(Bytes::len).sum();
    let parts = parts.map(Ok::<_, std::convert::Infallible>);
    let mut response = Body::from_stream(futures_util::stream::iter(parts)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LENGTH, length.into());
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(format.media_type()),
    );
    headers.insert(
        header::VARY,
        HeaderValue::from_static("Accept, Accept-Encoding"),
    );
    if let Some(encoding) = encoding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    response
}

fn joined(headers: &HeaderMap, name: header::HeaderName) -> String {
    let values = headers.get_all(name);
    let texts: Vec<&str> = values
        .iter()
        .filter_map(|value| value.to_str().ok())
        .collect();
    texts.join(",")
}

#[cfg(test)]
mod tests;
