//! Alertmanager's API beside that of a real Alertmanager with the same alerts (M13, M23, M24), and as amtool sees it.

mod amtool;
mod browser;
mod corpus;
mod page;
mod writers;

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use pgvigil::document::{Problem, Reader, Secret, parse};
use pgvigil::incident::Ledger;
use pgvigil::notify::{self, Audience, Context, Expressions, Links};
use pgvigil::rules::Alert;
use pgvigil::sample::{Labels, Timestamp};
use pgvigil::web::{Settings, View, router};
use tower::ServiceExt;

use crate::incident::{firing, opened};

const TOKEN: &str = "s3cret";

/// Two receivers in the order in which the policy names them.
const NOTIFY: &str = "
receivers:
  - {name: team, slack: {webhook_url: 'http://127.0.0.1:9/'}}
  - {name: oncall, slack: {webhook_url: 'http://127.0.0.1:9/'}}
policy:
  - {match: ['severity=\"critical\"'], to: [team], continue: true}
  - {to: [oncall]}
";

fn settings(yaml: &str) -> notify::Settings {
    let reader = Reader::new(None);
    let root = parse("x.yml", yaml).unwrap();
    let settings = reader.read(&root, notify::Settings::read);
    let problems: Vec<String> = reader.problems().iter().map(Problem::to_string).collect();
    assert!(problems.is_empty(), "{problems:?}");
    settings
}

/// A critical alert, the warning of the same name that it hides, and another.
fn alerts() -> Vec<Alert> {
    let now = Timestamp::now();
    let alert = |name: &str, instance: &str, severity: &str| Alert {
        labels: Labels::new([
            ("alertname", name),
            ("instance", instance),
            ("severity", severity),
        ]),
        ..firing(name, now)
    };
    vec![
        alert("A", "one", "critical"),
        alert("A", "one", "warning"),
        alert("B", "two", ""),
    ]
}

fn audience() -> Audience {
    let rule = firing("A", Timestamp(0)).rule;
    let of = move |alert: &Alert| (alert.rule == rule).then(|| "a > 1 & b".to_owned());
    let context = Context {
        external_url: "http://pgvigil.example".into(),
        expressions: Expressions::new(of),
        links: Some(Links::in_memory("http://pgvigil.example")),
        ..Context::default()
    };
    Audience::of(settings(NOTIFY), context)
}

/// A view of those alerts.
fn told(ledger: Ledger) -> Arc<View> {
    let events: Vec<_> = alerts().iter().map(opened).collect();
    ledger.record(&events);
    Arc::new(View {
        ledger: Arc::new(ledger),
        audience: audience(),
        ..Arc::into_inner(super::view(&["rachel"])).unwrap()
    })
}

fn with_token() -> Settings {
    Settings {
        token: Some(Secret::Value(TOKEN.into())),
        ..Settings::default()
    }
}

/// What is answered without a socket.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

async fn send(
    router: &Router,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::from(body.to_owned())).unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    Answer {
        status: parts.status,
        headers: parts.headers,
        text: String::from_utf8(body.to_vec()).unwrap(),
    }
}

fn service(view: &Arc<View>, settings: &Settings) -> Router {
    router(view.clone(), settings)
}

/// The parts of the path of an address.
fn path_of(url: &str) -> &str {
    let (_, rest) = url.split_once("://").unwrap();
    &rest[rest.find('/').unwrap()..]
}
