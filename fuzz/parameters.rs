//! Requests to the API: a path and parameters that are anything, through the router.

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use pgvigil::backup::{Archive, Reports};
use pgvigil::incident::Ledger;
use pgvigil::notify::{Audience, Tally};
use pgvigil::sample::{Labels, NAME, Source, Sources, Timestamp};
use pgvigil::scrape::Board;
use pgvigil::store::{self, Store};
use pgvigil::web::api::{self, Api, Queries};
use pgvigil::web::{Settings, View, router};
use tower::ServiceExt;

/// Takes the bytes as what follows `/api/v1/`; behind a line feed stands the body of a form.
pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let (path, form) = text
        .split_once('\n')
        .map_or((text, None), |(path, form)| (path, Some(form)));
    let request = Request::builder().uri(format!("/api/v1/{path}"));
    let request = match form {
        Some(form) => request
            .method("POST")
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body(Body::from(form.to_owned())),
        None => request.body(Body::empty()),
    };
    let Ok(request) = request else {
        return;
    };
    let begun = Instant::now();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let response = runtime
        .unwrap()
        .block_on(service().clone().oneshot(request));
    assert!(response.unwrap().status().as_u16() != 500, "{text}");
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(8), "{took:?} for {text}");
}

fn service() -> &'static Router {
    static SERVICE: OnceLock<Router> = OnceLock::new();
    SERVICE.get_or_init(|| {
        let settings = store::Settings {
            retention: Duration::from_secs(86_400),
            max_bytes: 64 << 20,
        };
        let store = Arc::new(Store::new(&settings, Timestamp(0)));
        let sources = Sources::one(Source::new("fuzz", "", "fuzz"));
        for cycle in 0..40 {
            let samples = (0..10).map(|n: usize| {
                let labels = [
                    (NAME, ["a", "b_total"][n % 2]),
                    ("n", ["x", "y", "z"][n % 3]),
                ];
                (Labels::new(labels), (cycle * n) as f64)
            });
            store.append(Timestamp(cycle as i64 * 15_000), &sources, samples);
        }
        let view = View {
            board: Arc::new(Board::new(store.clone(), false)),
            store,
            ledger: Arc::new(Ledger::memory()),
            tally: Arc::new(Tally::default()),
            audience: Audience::default(),
            signs: Arc::default(),
            servers: Vec::new(),
            targets: Vec::new(),
            aliases: false,
            started: Timestamp(0),
            backups: Archive::new(
                Arc::default(),
                Reports::new(Path::new("/nonexistent")),
                Path::new("/nonexistent"),
            ),
            reloads: None,
            api: Api {
                groups: Vec::new(),
                statuses: Arc::default(),
                watched: Vec::new(),
                alertmanagers: Vec::new(),
                external_labels: Labels::default(),
                config: String::new(),
                flags: Vec::new(),
                retention: String::new(),
                queries: Arc::new(Queries::new(api::Settings::default())),
            },
            version: "0.0.0",
        };
        router(Arc::new(view), &Settings::default())
    })
}
