//! What a scraper, a browser and a client of Prometheus see: the exposition, health, the status page and the API.
//! Takes the board, the store, the incident ledger and the tally of deliveries; hands on HTTP.

pub mod api;
mod auth;
mod backups;
mod dead;
mod desk;
mod discovery;
mod door;
mod exposition;
pub mod overview;
mod page;
mod pages;
mod reload;
mod role;
mod runbooks;
mod server;
mod settings;
mod silence;
mod target;
mod tls;
mod v2;

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Router, middleware};

use crate::backup::Archive;
use crate::incident::Ledger;
use crate::notify::{Audience, Tally};
use crate::sample::Timestamp;
use crate::scrape::{Board, Signs};
use crate::store::Store;
use crate::words;

use api::Api;
use desk::Desk;
use exposition::Exposition;
use role::Traffic;

pub use door::{Door, OpenError};
pub use exposition::METRICS;
pub use page::{advice, graph, history, incident, page, rules, unknown_incident};
pub use reload::{Reload, Reloads};
pub use settings::{Settings, Tls};
pub use target::Target;

/// Everything the pages are written from.
#[derive(Debug)]
pub struct View {
    /// What every source last read.
    pub board: Arc<Board>,
    /// The history.
    pub store: Arc<Store>,
    /// Alerts and who has been told of them.
    pub ledger: Arc<Ledger>,
    /// How delivery is going.
    pub tally: Arc<Tally>,
    /// Who is told of what.
    pub audience: Audience,
    /// The last sign of life of each server.
    pub signs: Arc<Signs>,
    /// Names of the watched servers in the order of the configuration.
    pub servers: Vec<Arc<str>>,
    /// The same servers with the places they are at, for `/probe`.
    pub targets: Vec<Target>,
    /// Whether older names of metrics are published as well.
    pub aliases: bool,
    /// When pgvigil started.
    pub started: Timestamp,
    /// What the API tells beside that.
    pub api: Api,
    /// What is known of backups.
    pub backups: Archive,
    /// pgvigil's version.
    pub version: &'static str,
    /// Whom to ask for the configuration to be read again; `None` where that is off.
    pub reloads: Option<Reloads>,
}

/// All paths, without a socket.
pub fn router(view: Arc<View>, settings: &Settings) -> Router {
    let exposition = Arc::new(Exposition::of(&view));
    routes(view, exposition, settings)
}

fn routes(view: Arc<View>, exposition: Arc<Exposition>, settings: &Settings) -> Router {
    let gate = auth::Gate::of(settings);
    let desk = Desk {
        view: view.clone(),
        gate: gate.clone(),
    };
    let open = Router::new()
        .route("/metrics", get(metrics).with_state(exposition.clone()))
        .route("/probe", get(probe).with_state((view.clone(), exposition)))
        .route("/sd", get(discovery::targets))
        .route("/dead-letters", get(dead::letters))
        .route("/api/backups", get(backups::account))
        .route("/primary", role::endpoint(Traffic::Writes))
        .route("/replica", role::endpoint(Traffic::Offloaded))
        .route("/read", role::endpoint(Traffic::Reads))
        .route("/-/healthy", get(|| async { "pgvigil is healthy\n" }))
        .route("/-/ready", get(ready))
        .route("/-/reload", post(reload::reload))
        .route("/favicon.ico", get(icon))
        .merge(pages::routes())
        .merge(runbooks::routes())
        .merge(api::routes(settings.cors_origin.as_deref()))
        .merge(silence::routes(desk.clone()))
        .merge(v2::routes(desk, settings.cors_origin.as_deref()))
        .fallback(not_found)
        .with_state(view);
    match gate.is_shut() {
        true => open.layer(middleware::from_fn_with_state(gate, auth::guard)),
        false => open,
    }
}

#[derive(serde::Deserialize)]
struct Scraped {
    server: Option<String>,
}

async fn metrics(
    State(exposition): State<Arc<Exposition>>,
    Query(scraped): Query<Scraped>,
    headers: HeaderMap,
) -> Response {
    exposition.answer(&headers, scraped.server.as_deref()).await
}

#[derive(serde::Deserialize)]
struct Probed {
    target: Option<String>,
}

/// As postgres_exporter's, whose `auth_module` is of no use here: the credentials are the configured ones.
async fn probe(
    State((view, exposition)): State<(Arc<View>, Arc<Exposition>)>,
    Query(probed): Query<Probed>,
    headers: HeaderMap,
) -> Response {
    match target::find(&view.targets, probed.target.as_deref()) {
        Ok(server) => exposition.probe(&headers, server).await,
        Err(refusal) => refusal.into_response(),
    }
}

/// Ready once anything has been tried: from then on a page says what is known, be it that a server is down.
async fn ready(State(view): State<Arc<View>>) -> (StatusCode, &'static str) {
    let tried = |status: &crate::scrape::Status| status.last_attempt.is_some();
    if view.board.statuses().iter().any(tried) {
        (StatusCode::OK, "pgvigil is ready\n")
    } else {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            "nothing has been read yet\n",
        )
    }
}

async fn icon() -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, "image/svg+xml"),
        (header::CACHE_CONTROL, "max-age=86400"),
    ];
    (headers, include_str!("icon.svg"))
}

async fn not_found(uri: Uri) -> (StatusCode, String) {
    let path = uri.path();
    let message = format!(
        "there is nothing at `{path}`; there are `/` (status), `/incidents`, `/incident/ID`, `/rules`, `/advice`, `/graph` (`?g0.expr=`), `/metrics` (`?server=`), \
         `/probe` (`?target=`), `/sd`, `/primary`, `/replica` and `/read` (`?server=`, `?lag=`), the API of Prometheus below `/api/v1/`, \
         `/federate` (`?match[]=`), that of Alertmanager below `/api/v2/`, `/silence` (`?incident=`), `/api/backups`, `/dead-letters`, `/runbooks`, `/-/healthy` and `/-/ready`\n"
    );
    (StatusCode::NOT_FOUND, message)
}
