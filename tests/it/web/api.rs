//! The API beside that of a real Prometheus over the same samples: every request of a corpus, compared as text.

mod doors;
mod federate;
mod grafana;
mod limits;
mod rules;

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::Request;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use pgvigil::sample::{Labels, NAME, Source, Sources, Timestamp};
use pgvigil::web::api::{Api, Queries};
use pgvigil::web::{Settings, View, router};
use serde_json::Value;
use tower::ServiceExt;

use super::view;
use crate::harness::Prometheus;

const SAMPLES: &str = include_str!("api/samples.txt");
const CORPUS: &str = include_str!("api/corpus.txt");

/// What two answers have in common: the status, what the headers promise, and the text.
#[derive(Debug, Clone, PartialEq)]
struct Answer {
    status: u16,
    kind: String,
    allow: String,
    body: String,
}

/// One line of the corpus.
struct Line<'c> {
    text: &'c str,
    worded: bool,
    unordered: bool,
    method: &'c str,
    path: &'c str,
    parameters: String,
}

/// An API over nothing.
pub(super) fn told() -> Api {
    Api {
        groups: Vec::new(),
        statuses: Arc::default(),
        watched: Vec::new(),
        alertmanagers: Vec::new(),
        external_labels: Labels::default(),
        config: String::new(),
        flags: Vec::new(),
        retention: String::new(),
        queries: Arc::new(Queries::new(pgvigil::web::api::Settings::default())),
    }
}

/// A view over samples in OpenMetrics text, each with its time in seconds.
fn over(samples: &str) -> View {
    let view = Arc::into_inner(view(&["rachel"])).unwrap();
    let sources = Sources::one(Source::new("rachel", "", "corpus"));
    for line in samples.lines().filter(|line| !line.starts_with('#')) {
        let (series, rest) = line
            .rsplit_once('}')
            .unwrap_or_else(|| line.split_once(' ').unwrap());
        let (name, labels) = series.split_once('{').unwrap_or((series, ""));
        let (value, at) = rest.trim().split_once(' ').unwrap();
        let labels = pairs(labels).chain([(NAME.to_owned(), name.to_owned())]);
        let at = Timestamp::from_seconds(at.parse().unwrap());
        let sample = (Labels::new(labels), value.parse().unwrap());
        view.store.append(at, &sources, [sample]);
    }
    view
}

fn pairs(mut text: &str) -> impl Iterator<Item = (String, String)> {
    std::iter::from_fn(move || {
        let (name, rest) = text.split_once("=\"")?;
        let mut end = 0;
        while !rest[end..].starts_with('"') {
            end += if rest[end..].starts_with('\\') {
                2
            } else {
                rest[end..].chars().next()?.len_utf8()
            };
        }
        let value = rest[..end]
            .replace("\\n", "\n")
            .replace("\\\"", "\"")
            .replace("\\\\", "\\");
        text = &rest[end + 1..];
        Some((name.trim_start_matches(',').to_owned(), value))
    })
}

fn corpus(text: &str) -> impl Iterator<Item = Line<'_>> {
    let lines = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|text| {
        let rest = text.trim_start_matches(['=', '<', ' ']);
        let (method, rest) = rest.split_once(' ').unwrap();
        let (path, parameters) = rest.split_once(' ').unwrap_or((rest, ""));
        Line {
            text,
            worded: !text.starts_with('='),
            unordered: text.starts_with('<'),
            method,
            path,
            parameters: encoded(parameters),
        }
    })
}

/// `name=value&…` with everything encoded but `%XX`, which are already.
fn encoded(parameters: &str) -> String {
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'%');
    let pairs = parameters.split('&').filter(|pair| !pair.is_empty());
    // A value may have `=` in it, but then no `&` that is not part of `&&`.
    let pairs = pairs.map(|pair| {
        let (name, value) = pair.split_once('=').unwrap();
        let [name, value] = [name, value].map(|text| utf8_percent_encode(text, KEPT).to_string());
        format!("{name}={value}")
    });
    pairs.collect::<Vec<_>>().join("&")
}

/// The answer of pgvigil, without a socket.
async fn ours(service: &axum::Router, line: &Line<'_>) -> Answer {
    let post = line.method == "POST";
    let (query, form) = if post {
        ("", line.parameters.as_str())
    } else {
        (line.parameters.as_str(), "")
    };
    let path = format!("/api/v1/{}?{query}", line.path);
    let request = Request::builder().method(line.method).uri(path);
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let request = request.body(Body::from(form.to_owned())).unwrap();
    let response = service.clone().oneshot(request).await.unwrap();
    let header = |name: &str| {
        response
            .headers()
            .get(name)
            .map(|value| value.to_str().unwrap().to_owned())
    };
    let [kind, allow] = ["content-type", "allow"].map(|name| header(name).unwrap_or_default());
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    let body = if line.method == "HEAD" {
        Vec::new()
    } else {
        body.to_vec()
    };
    Answer {
        status,
        kind,
        allow,
        body: String::from_utf8(body).unwrap(),
    }
}

/// The answer at a real address.
async fn theirs(client: &reqwest::Client, base: &str, line: &Line<'_>) -> Answer {
    let method = reqwest::Method::from_bytes(line.method.as_bytes()).unwrap();
    let post = line.method == "POST";
    let (query, form) = if post {
        ("", line.parameters.as_str())
    } else {
        (line.parameters.as_str(), "")
    };
    let request = client.request(method, format!("{base}/api/v1/{}?{query}", line.path));
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let response = request.body(form.to_owned()).send().await.unwrap();
    let header = |name: &str| {
        response
            .headers()
            .get(name)
            .map(|value| value.to_str().unwrap().to_owned())
    };
    let [kind, allow] = ["content-type", "allow"].map(|name| header(name).unwrap_or_default());
    let status = response.status().as_u16();
    Answer {
        status,
        kind,
        allow,
        body: response.text().await.unwrap(),
    }
}

/// What is compared: with another wording allowed, of errors their type alone; without an order, sorted elements.
fn compared(line: &Line, answer: &Answer) -> Answer {
    let Ok(mut json) = serde_json::from_str::<Value>(&answer.body) else {
        return answer.clone();
    };
    if line.unordered
        && let Some(result) = json
            .pointer_mut("/data/result")
            .and_then(Value::as_array_mut)
    {
        result.sort_by_key(|element| element["metric"].to_string());
    }
    let mut answer = answer.clone();
    let failed = json["status"] == "error";
    if let (true, Some(members)) = (failed && !line.worded, json.as_object_mut()) {
        members.remove("error");
    }
    if line.unordered || failed && !line.worded {
        answer.body = json.to_string();
    }
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_of_the_corpus_is_answered_as_prometheus_does() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let prometheus = Prometheus::over(SAMPLES, &[]);
    let client = reqwest::Client::new();
    let service = router(Arc::new(over(SAMPLES)), &Settings::default());
    let (mut count, mut different) = (0, Vec::new());
    for line in corpus(CORPUS) {
        count += 1;
        let theirs = compared(&line, &theirs(&client, &prometheus.url(), &line).await);
        let ours = compared(&line, &ours(&service, &line).await);
        if ours != theirs {
            different.push(format!(
                "{}\n  theirs {theirs:?}\n  ours   {ours:?}",
                line.text
            ));
        }
    }
    println!("{count} requests, {} answered differently", different.len());
    assert!(different.is_empty(), "{}", different.join("\n"));
    assert!(count >= 200);
}
