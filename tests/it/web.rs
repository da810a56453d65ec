//! What is served: the exposition and health without a socket, then doors, real scrapers and the dashboard.

mod api;
mod browser;
mod dashboards;
mod doors;
mod ingest;
mod pages;
mod roles;
mod runbooks;
mod targets;
mod v2;

use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Bytes, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use pgvigil::backup::{Archive, Reports};
use pgvigil::incident::Ledger;
use pgvigil::notify::{Audience, Tally};
use pgvigil::sample::{Family, Labels, MetricKind, Sample, Source, Timestamp};
use pgvigil::scrape::Board;
use pgvigil::store::{self, Store};
use pgvigil::web::{Settings, View, router};
use tower::ServiceExt;

const OPEN_METRICS: &str = "application/openmetrics-text";

/// A view of servers of which nothing is known yet.
fn view(servers: &[&str]) -> Arc<View> {
    let started = Timestamp::now();
    let settings = store::Settings {
        retention: Duration::from_secs(3_600),
        max_bytes: 32 << 20,
    };
    let store = Arc::new(Store::new(&settings, started));
    Arc::new(View {
        board: Arc::new(Board::new(store.clone(), servers.len() > 1)),
        store,
        ledger: Arc::new(Ledger::memory()),
        tally: Arc::new(Tally::default()),
        audience: Audience::default(),
        signs: Arc::default(),
        servers: servers.iter().map(|name| Arc::from(*name)).collect(),
        targets: Vec::new(),
        aliases: false,
        started,
        reloads: None,
        api: api::told(),
        backups: Archive::new(
            Arc::default(),
            Reports::new(Path::new("/nonexistent")),
            Path::new("/nonexistent"),
        ),
        version: "0.0.0",
    })
}

fn sample(kind: MetricKind, name: &str, labels: &[(&str, &str)], value: f64) -> Sample {
    Sample {
        family: Arc::new(Family {
            name: name.into(),
            kind,
            help: "A \"fact\"\\\nof two lines.".into(),
        }),
        labels: Labels::new(labels.iter().copied()),
        value,
    }
}

fn publish(view: &View, server: &str, samples: Vec<Sample>) {
    let source = Source::new(server, "", "facts");
    view.board.declare(&source, Duration::from_secs(600), 3);
    let took = Duration::from_millis(1);
    view.board
        .publish(&source, Timestamp::now(), took, samples, 0);
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

async fn ask(
    view: &Arc<View>,
    settings: &Settings,
    path: &str,
    headers: &[(&str, &str)],
) -> Answer {
    let service = router(view.clone(), settings);
    ask_of(service, path, headers).await
}

async fn ask_of(service: axum::Router, path: &str, headers: &[(&str, &str)]) -> Answer {
    let request = headers
        .iter()
        .fold(Request::get(path), |request, (name, value)| {
            request.header(*name, *value)
        });
    let request = request.body(axum::body::Body::empty()).unwrap();
    let response = service.oneshot(request).await.unwrap();
    Answer {
        status: response.status(),
        headers: response.headers().clone(),
        body: to_bytes(response.into_body(), usize::MAX).await.unwrap(),
    }
}

#[tokio::test]
async fn the_format_and_the_compression_are_the_clients_choice() {
    let rachel = view(&["rachel"]);
    publish(
        &rachel,
        "rachel",
        vec![sample(MetricKind::Gauge, "pg_up", &[], 1.0)],
    );
    let open = Settings::default();
    let text = ask(&rachel, &open, "/metrics", &[]).await;
    assert_eq!(
        text.headers["content-type"],
        "text/plain; version=0.0.4; charset=utf-8"
    );
    let fact = "# HELP pg_up A \"fact\"\\\\\\nof two lines.\n# TYPE pg_up gauge\npg_up 1\n";
    assert!(text.text().starts_with(fact), "{}", text.text());
    let age = "\npgvigil_collector_age_seconds{collector=\"facts\"} 0";
    assert!(text.text().contains(age), "{}", text.text());

    let metrics = ask(&rachel, &open, "/metrics", &[("accept", OPEN_METRICS)]).await;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!(metrics.headers["content-type"], kind);
    assert!(metrics.text().ends_with("\n# EOF\n"), "{}", metrics.text());

    let older_names = Arc::new(View {
        aliases: true,
        ..Arc::into_inner(view(&["rachel"])).unwrap()
    });
    let refused = ask(&older_names, &open, "/metrics", &[("accept", OPEN_METRICS)]).await;
    assert_eq!(
        refused.headers["content-type"],
        text.headers["content-type"]
    );

    for accept in ["text/plain", OPEN_METRICS] {
        let asked = [("accept", accept), ("accept-encoding", "gzip")];
        let packed = ask(&rachel, &open, "/metrics", &asked).await;
        assert_eq!(packed.headers["content-encoding"], "gzip");
        assert_eq!(
            packed.headers["content-length"],
            packed.body.len().to_string()
        );
        let mut unpacked = String::new();
        let mut reader = flate2::read::GzDecoder::new(&packed.body[..]);
        reader.read_to_string(&mut unpacked).unwrap();
        assert!(unpacked.contains("\npg_up 1"), "{unpacked}");
        assert!(unpacked.contains(age), "{unpacked}");
    }
}

#[tokio::test]
async fn what_changes_is_on_the_next_page_and_one_server_can_be_asked_for() {
    let view = view(&["monica", "rachel"]);
    let service = router(view.clone(), &Settings::default());
    let page = |path: &'static str| {
        let service = service.clone();
        async move { ask_of(service, path, &[]).await }
    };
    for (value, name) in [(1.0, "rachel"), (0.0, "rachel"), (1.0, "monica")] {
        publish(
            &view,
            name,
            vec![sample(MetricKind::Gauge, "pg_up", &[], value)],
        );
        let expected = format!("pg_up{{server=\"{name}\"}} {value}\n");
        let both = page("/metrics").await;
        assert!(both.text().contains(&expected), "{}", both.text());
    }
    let one = page("/metrics?server=monica").await;
    assert!(one.text().contains("server=\"monica\""), "{}", one.text());
    assert!(!one.text().contains("rachel"), "{}", one.text());
    let nobody = page("/metrics?server=ross").await;
    assert_eq!(nobody.status, StatusCode::NOT_FOUND);
    assert_eq!(
        nobody.text(),
        "no server is named `ross`; there is `monica`, `rachel`\n"
    );
}

#[tokio::test]
async fn health_tells_alive_from_ready_and_a_wrong_path_says_what_there_is() {
    let view = view(&["rachel"]);
    let open = Settings::default();
    assert_eq!(
        ask(&view, &open, "/-/healthy", &[]).await.status,
        StatusCode::OK
    );
    let early = ask(&view, &open, "/-/ready", &[]).await;
    assert_eq!(early.status, StatusCode::SERVICE_UNAVAILABLE);
    let source = Source::new("rachel", "", "liveness");
    view.board.declare(&source, Duration::from_secs(1), 1);
    let refused = "connection refused".to_owned();
    view.board
        .fail(&source, Timestamp::now(), Duration::ZERO, refused);
    assert_eq!(
        ask(&view, &open, "/-/ready", &[]).await.status,
        StatusCode::OK
    );

    let icon = ask(&view, &open, "/favicon.ico", &[]).await;
    assert_eq!(icon.headers["content-type"], "image/svg+xml");
    let lost = ask(&view, &open, "/metric", &[]).await;
    assert_eq!(lost.status, StatusCode::NOT_FOUND);
    assert!(lost.text().contains("`/metrics`"), "{}", lost.text());
    let page = ask(&view, &open, "/", &[]).await;
    assert!(
        page.text().contains("connection refused"),
        "{}",
        page.text()
    );
    assert!(
        page.headers["content-security-policy"]
            .to_str()
            .unwrap()
            .starts_with("default-src 'none'")
    );
}

#[tokio::test]
async fn a_password_is_asked_for_everywhere_but_by_probes() {
    let view = view(&["rachel"]);
    let hash = bcrypt::hash("a:secret", 6).unwrap();
    let settings = Settings {
        users: vec![("ops".into(), hash)],
        ..Settings::default()
    };
    let service = router(view, &settings);
    let basic = |credentials: &str| format!("Basic {}", BASE64_STANDARD.encode(credentials));
    let right = basic("ops:a:secret");
    let cases = [
        ("/metrics", None, StatusCode::UNAUTHORIZED),
        ("/", None, StatusCode::UNAUTHORIZED),
        ("/favicon.ico", None, StatusCode::UNAUTHORIZED),
        ("/nothing", None, StatusCode::UNAUTHORIZED),
        ("/api/backups", None, StatusCode::UNAUTHORIZED),
        ("/-/healthy", None, StatusCode::OK),
        ("/-/ready", None, StatusCode::SERVICE_UNAVAILABLE),
        ("/primary", None, StatusCode::SERVICE_UNAVAILABLE),
        ("/replica", None, StatusCode::SERVICE_UNAVAILABLE),
        ("/read", None, StatusCode::SERVICE_UNAVAILABLE),
        (
            "/metrics",
            Some(basic("ops:wrong")),
            StatusCode::UNAUTHORIZED,
        ),
        (
            "/metrics",
            Some(basic("nobody:a:secret")),
            StatusCode::UNAUTHORIZED,
        ),
        (
            "/metrics",
            Some("Bearer a:secret".into()),
            StatusCode::UNAUTHORIZED,
        ),
        (
            "/metrics",
            Some("Basic ???".into()),
            StatusCode::UNAUTHORIZED,
        ),
        ("/metrics", Some(right.clone()), StatusCode::OK),
        ("/metrics", Some(right), StatusCode::OK),
        (
            "/metrics",
            Some(basic("ops:wrong")),
            StatusCode::UNAUTHORIZED,
        ),
    ];
    for (path, authorization, expected) in cases {
        let header = authorization
            .iter()
            .map(|value| ("authorization", value.as_str()));
        let headers: Vec<(&str, &str)> = header.collect();
        let answer = ask_of(service.clone(), path, &headers).await;
        assert_eq!(answer.status, expected, "{path} {headers:?}");
        assert_eq!(
            answer.headers.contains_key("www-authenticate"),
            expected == StatusCode::UNAUTHORIZED
        );
    }
}

#[tokio::test]
async fn the_page_shows_the_numbers_that_were_read() {
    let view = view(&["monica", "rachel"]);
    let gauge = |name, value| sample(MetricKind::Gauge, name, &[], value);
    publish(
        &view,
        "rachel",
        vec![
            gauge("pg_up", 1.0),
            gauge("pg_connections_used", 9.0),
            gauge("pg_connections_limit", 97.0),
            gauge("pg_long_transactions_oldest_seconds", 180.0),
        ],
    );
    let left_over = gauge("pg_connections_active", 4321.0);
    publish(&view, "monica", vec![gauge("pg_up", 0.0), left_over]);
    let page = ask(&view, &Settings::default(), "/", &[]).await;
    assert!(!page.text().contains("4,321"), "of a server that is down");
    for expected in ["No answer from monica", ">9 of 97<", ">3 min<"] {
        assert!(page.text().contains(expected), "{expected}");
    }
}

#[tokio::test]
async fn a_first_backup_that_is_being_written_is_no_missing_one() {
    let view = view(&["rachel"]);
    let gauge = |name, state: &[(&str, &str)], value| {
        let labels = [&[("source", "nightly")], state].concat();
        sample(MetricKind::Gauge, name, &labels, value)
    };
    let none = || {
        vec![
            gauge("pg_backup_expected_interval_seconds", &[], 86_400.0),
            gauge("pg_backup_count", &[("state", "done")], 0.0),
        ]
    };
    publish(&view, "rachel", none());
    let page = ask(&view, &Settings::default(), "/", &[]).await;
    assert!(page.text().contains("there is no usable backup"));
    let since = Timestamp::now().before(Duration::from_secs(600)).seconds();
    let running = gauge("pg_backup_running_since_timestamp_seconds", &[], since);
    publish(&view, "rachel", [none(), vec![running]].concat());
    let page = ask(&view, &Settings::default(), "/", &[]).await;
    assert!(!page.text().contains("there is no usable backup"));
    assert!(page.text().contains("being written for") && page.text().contains(">10 min<"));
}
