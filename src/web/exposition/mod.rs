//! `/metrics`: the board in Prometheus text 0.0.4 or OpenMetrics 1.0, rendered on the first request after a change.
//! Takes the board and what the client accepts; hands on the answer.

mod accept;
mod ages;
mod families;
mod gzip;
mod openmetrics;
mod text;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::sample::{Metric, Source, Timestamp};
use crate::scrape::Board;

use accept::{Format, takes_gzip};
use ages::AGE;
use gzip::Beginning;

/// Every metric that exists on the page alone.
pub const METRICS: &[Metric] = &[AGE];

/// The rendered pages of the present generation.
#[derive(Debug)]
pub(super) struct Exposition {
    board: Arc<Board>,
    servers: Vec<Arc<str>>,
    pages: Mutex<HashMap<Wanted, Page>>,
    rendering: Mutex<()>,
}

/// What tells one cached page from another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Wanted {
    format: Format,
    gzip: bool,
    server: Option<Arc<str>>,
}

#[derive(Debug, Clone)]
struct Page {
    generation: u64,
    text: Text,
}

#[derive(Debug, Clone)]
enum Text {
    Plain(Bytes),
    Gzip(Beginning),
}

impl Exposition {
    /// Over a board that watches these servers.
    pub(super) fn new(board: Arc<Board>, servers: Vec<Arc<str>>) -> Self {
        Exposition {
            board,
            servers,
            pages: Mutex::default(),
            rendering: Mutex::default(),
        }
    }

    /// The answer to one scrape, of one server where it is named.
    pub(super) async fn answer(
        self: Arc<Self>,
        headers: &HeaderMap,
        server: Option<&str>,
    ) -> Response {
        let named = |name: &str| self.servers.iter().find(|known| ***known == *name);
        let wanted = Wanted {
            format: Format::negotiate(&joined(headers, header::ACCEPT)),
            gzip: takes_gzip(&joined(headers, header::ACCEPT_ENCODING)),
            server: match server.map(|name| named(name).ok_or(name)) {
                Some(Ok(known)) => Some(known.clone()),
                Some(Err(unknown)) => return self.refuse(unknown),
                None => None,
            },
        };
        let page = match self.cached(&wanted) {
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

    fn refuse(&self, unknown: &str) -> Response {
        let known: Vec<String> = self
            .servers
            .iter()
            .map(|name| format!("`{name}`"))
            .collect();
        let message = format!(
            "no server is named `{unknown}`; there is {}\n",
            known.join(", ")
        );
        (StatusCode::NOT_FOUND, message).into_response()
    }

    fn cached(&self, wanted: &Wanted) -> Option<Text> {
        let generation = self.board.generation();
        let pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        let page = pages.get(wanted)?;
        (page.generation == generation).then(|| page.text.clone())
    }

    /// Renders, unless another request has done so while this one waited for its turn.
    fn render(&self, wanted: &Wanted) -> Text {
        let _turn = self
            .rendering
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(text) = self.cached(wanted) {
            return text;
        }
        // Asked for before the samples: what changes meanwhile is rendered again, never missed.
        let generation = self.board.generation();
        let mut families = families::gather(&self.board.current(), wanted.server.as_deref());
        families.retain(|rows| *rows.family.name != *AGE.name);
        let text = write(wanted.format, families);
        let text = if wanted.gzip {
            Text::Gzip(Beginning::of(&text))
        } else {
            Text::Plain(text.into())
        };
        let page = Page {
            generation,
            text: text.clone(),
        };
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        pages.retain(|_, page| page.generation == generation);
        pages.insert(wanted.clone(), page);
        text
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
mod tests {
    use crate::sample::{Family, Labels, MetricKind, Sample};

    use super::*;

    fn sample(
        kind: MetricKind,
        name: &str,
        help: &str,
        labels: &[(&str, &str)],
        value: f64,
    ) -> Sample {
        let (name, help) = (name.into(), help.into());
        Sample {
            family: Arc::new(Family { name, kind, help }),
            labels: Labels::new(labels.iter().copied()),
            value,
        }
    }

    fn check(sources: &[(&str, Vec<Sample>)], server: Option<&str>, text: &str, open: &str) {
        let source = |name: &&str| Source::new(name, "", "facts");
        let current: Vec<_> = sources
            .iter()
            .map(|(server, samples)| (source(server), Arc::from(samples.clone())))
            .collect();
        let page = |format| write(format, families::gather(&current, server));
        assert_eq!(page(Format::Text), text);
        assert_eq!(page(Format::OpenMetrics), open);
    }

    #[test]
    fn values_labels_and_help_are_written_as_each_format_wants_them() {
        let kinds = [
            sample(
                MetricKind::Gauge,
                "pg_size_bytes",
                "Size.",
                &[("datname", "a\"b\\c\nd\u{e9}")],
                8_192.0,
            ),
            sample(
                MetricKind::Gauge,
                "pg_size_bytes",
                "Size.",
                &[("datname", "a")],
                f64::NAN,
            ),
            sample(
                MetricKind::Counter,
                "pg_seen_total",
                "The \"seen\" \\ ones,\nall of them.",
                &[],
                0.1,
            ),
            sample(
                MetricKind::Counter,
                "pg_commits",
                "Commits.",
                &[("x", "1")],
                1e22,
            ),
            sample(
                MetricKind::Unknown,
                "pg_odd",
                "Odd.",
                &[],
                f64::NEG_INFINITY,
            ),
        ];
        check(
            &[("s", kinds.to_vec())],
            None,
            r#"# HELP pg_commits Commits.
# TYPE pg_commits counter
pg_commits{x="1"} 1e+22
# HELP pg_odd Odd.
# TYPE pg_odd untyped
pg_odd -Inf
# HELP pg_seen_total The "seen" \\ ones,\nall of them.
# TYPE pg_seen_total counter
pg_seen_total 0.1
# HELP pg_size_bytes Size.
# TYPE pg_size_bytes gauge
pg_size_bytes{datname="a"} NaN
pg_size_bytes{datname="a\"b\\c\ndé"} 8192
"#,
            r#"# HELP pg_commits Commits.
# TYPE pg_commits unknown
pg_commits{x="1"} 1e22
# HELP pg_odd Odd.
# TYPE pg_odd unknown
pg_odd -inf
# HELP pg_seen The \"seen\" \\ ones,\nall of them.
# TYPE pg_seen counter
pg_seen_total 0.1
# HELP pg_size_bytes Size.
# TYPE pg_size_bytes gauge
# UNIT pg_size_bytes bytes
pg_size_bytes{datname="a"} NaN
pg_size_bytes{datname="a\"b\\c\ndé"} 8192.0
"#,
        );
    }

    #[test]
    fn a_family_stands_once_whatever_its_sources_say_of_it() {
        let first = [sample(
            MetricKind::Gauge,
            "pg_up",
            "Up.",
            &[("server", "a")],
            1.0,
        )];
        let second = [
            sample(
                MetricKind::Counter,
                "pg_up",
                "Different.",
                &[("server", "a")],
                7.0,
            ),
            sample(
                MetricKind::Counter,
                "pg_up",
                "Different.",
                &[("server", "b")],
                0.0,
            ),
        ];
        let sources = [("a", first.to_vec()), ("b", second.to_vec())];
        check(
            &sources,
            None,
            "# HELP pg_up Up.\n# TYPE pg_up gauge\npg_up{server=\"a\"} 1\npg_up{server=\"b\"} 0\n",
            "# HELP pg_up Up.\n# TYPE pg_up gauge\npg_up{server=\"a\"} 1.0\npg_up{server=\"b\"} 0.0\n",
        );
        check(
            &sources,
            Some("b"),
            "# HELP pg_up Different.\n# TYPE pg_up counter\npg_up{server=\"a\"} 7\npg_up{server=\"b\"} 0\n",
            "# HELP pg_up Different.\n# TYPE pg_up unknown\npg_up{server=\"a\"} 7.0\npg_up{server=\"b\"} 0.0\n",
        );
    }

    #[test]
    fn a_counter_whose_short_name_is_taken_keeps_its_own() {
        let both = [
            sample(MetricKind::Counter, "pg_wal_total", "All.", &[], 2.0),
            sample(MetricKind::Gauge, "pg_wal", "Now.", &[], 1.0),
        ];
        check(
            &[("s", both.to_vec())],
            None,
            "# HELP pg_wal Now.\n# TYPE pg_wal gauge\npg_wal 1\n# HELP pg_wal_total All.\n# TYPE pg_wal_total counter\npg_wal_total 2\n",
            "# HELP pg_wal Now.\n# TYPE pg_wal gauge\npg_wal 1.0\n# HELP pg_wal_total All.\n# TYPE pg_wal_total unknown\npg_wal_total 2.0\n",
        );
    }
}
