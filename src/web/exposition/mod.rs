//! `/metrics`: the board in Prometheus text 0.0.4 or OpenMetrics 1.0, each source written once after its change.
//! Takes the board and what the client accepts; hands on the answer.

mod accept;
mod ages;
mod cache;
mod form;
mod histogram;
mod openmetrics;
mod pages;
mod piece;
mod probe;
mod sheet;
mod text;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::{View, server};
use crate::sample::{Metric, Timestamp};
use crate::scrape::Board;

use accept::{Format, takes_gzip};
use ages::AGE;
use cache::Cache;
use form::Form;
use piece::Beginning;
pub(super) use text::{escape, write_number};

/// How often readings that nobody has asked for since are looked for.
const PAUSE: Duration = Duration::from_secs(1);

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
    /// Over the view's board. With aliases nobody is offered OpenMetrics, which forbids many of the older names.
    pub(super) fn of(view: &View) -> Self {
        Exposition {
            board: view.board.clone(),
            servers: names(view),
            text_only: view.aliases,
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
        let form = self.form(headers);
        let shown = self.cache.of(form);
        let page = match shown.get(server.as_ref(), self.board.generation()) {
            Some(page) => page,
            None => {
                let (exposition, server) = (self.clone(), server.clone());
                let fill = move || shown.fill(server.as_ref(), &exposition.board);
                match tokio::task::spawn_blocking(fill).await {
                    Ok(page) => page,
                    Err(_) => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
                }
            }
        };
        let tail = self.tail(form, server.as_deref(), Timestamp::now());
        respond(form.format, page, &tail)
    }

    /// The answer to a probe of one server, which must be a watched one.
    pub(super) async fn probe(self: Arc<Self>, headers: &HeaderMap, server: &Arc<str>) -> Response {
        let (form, server) = (self.form(headers), server.clone());
        let write = move || probe::page(&self.board, &server, form);
        match tokio::task::spawn_blocking(write).await {
            Ok(page) => respond(form.format, page, end(form)),
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }

    fn form(&self, headers: &HeaderMap) -> Form {
        Form {
            format: if self.text_only {
                Format::Text
            } else {
                Format::negotiate(&joined(headers, header::ACCEPT))
            },
            gzip: gzipped(headers),
        }
    }

    /// Keeps what is asked for written, so that a scrape need not wait for a large reading. Runs for ever.
    pub(super) async fn keep_written(self: Arc<Self>) {
        let mut shown = 0;
        loop {
            tokio::time::sleep(PAUSE).await;
            let generation = self.board.generation();
            if generation != shown {
                let exposition = self.clone();
                let refresh = move || exposition.cache.refresh(&exposition.board);
                let _ = tokio::task::spawn_blocking(refresh).await;
                shown = generation;
            }
        }
    }

    fn tail(&self, form: Form, server: Option<&str>, now: Timestamp) -> String {
        let successes = self.board.successes(server);
        let ages = ages::ages(&successes, self.board.names_servers(), now);
        let mut tail = String::with_capacity(ages.len() * 96 + 256);
        if !ages.is_empty() {
            let rows: Vec<_> = ages.iter().map(|(labels, age)| (labels, *age)).collect();
            form.write_head(&mut tail, &AGE.family(), &BTreeSet::from([AGE.name]));
            form.write_rows(&mut tail, AGE.name, &rows);
        }
        tail.push_str(end(form));
        tail
    }
}

/// Everything that may be asked for by its name: the servers, then whatever else is watched.
fn names(view: &View) -> Vec<Arc<str>> {
    let targets = view.targets.iter().map(|target| &target.server);
    let others = targets.filter(|name| !view.servers.contains(name));
    view.servers.iter().chain(others).cloned().collect()
}

/// What closes a page.
fn end(form: Form) -> &'static str {
    match form.format {
        Format::Text => "",
        Format::OpenMetrics => "# EOF\n",
    }
}

fn respond(format: Format, page: Beginning, tail: &str) -> Response {
    let encoding = page.is_gzip().then_some("gzip");
    let parts = page.end(tail);
    let length: usize = parts.iter().map(Bytes::len).sum();
    let parts = parts.into_iter().map(Ok::<_, std::convert::Infallible>);
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

/// Whether the client takes an answer that is compressed.
pub(super) fn gzipped(headers: &HeaderMap) -> bool {
    takes_gzip(&joined(headers, header::ACCEPT_ENCODING))
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
