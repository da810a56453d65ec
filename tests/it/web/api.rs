//! The API beside that of a real Prometheus over the same samples: every request of a corpus, compared as text.

mod corpus;
mod doors;
mod federate;
mod grafana;
mod limits;
mod rules;
mod shapes;

use std::sync::Arc;

use pgvigil::sample::{Labels, NAME, Source, Sources, Timestamp};
use pgvigil::web::api::{Api, Queries};
use pgvigil::web::{Settings, View, router};

use super::view;
use crate::harness::Prometheus;

const SAMPLES: &str = include_str!("api/samples.txt");
const CORPUS: &str = include_str!("api/corpus.txt");

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

#[tokio::test(flavor = "multi_thread")]
async fn every_request_of_the_corpus_is_answered_as_prometheus_does() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let prometheus = Prometheus::over(SAMPLES, &[]);
    let client = reqwest::Client::new();
    let service = router(Arc::new(over(SAMPLES)), &Settings::default());
    let (mut count, mut same, mut different) = (0, 0, Vec::new());
    for line in corpus::lines(CORPUS) {
        let theirs = corpus::at(&client, &prometheus.url(), &line).await;
        let ours = corpus::of_router(&service, &line).await;
        count += 1;
        same += usize::from(ours == theirs);
        if line.counts(&ours) != line.counts(&theirs) {
            let both = format!("theirs {theirs:?}\n  ours   {ours:?}");
            different.push(format!("{}\n  {both}", line.text));
        }
    }
    println!(
        "{count} requests, {same} answered to the character, {} differently",
        different.len()
    );
    assert!(different.is_empty(), "{}", different.join("\n"));
    assert!(count >= 200);
}
