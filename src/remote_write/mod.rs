//! Sends every sample that the store takes on to other stores, in Prometheus' remote write protocol, version 1.
//! Takes endpoints and a follower of the store for each; hands requests to the endpoints, and tells how they are doing.

mod answer;
mod batch;
mod courier;
mod endpoint;
mod metadata;
mod numbers;
mod outbox;
mod pace;
mod proto;
mod queue;
mod relabel;
mod settings;

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::join_all;
use tokio_util::sync::CancellationToken;

use crate::sample::{Labels, Sample};
use crate::scrape::Board;
use crate::store::Store;

use courier::Courier;
use endpoint::Endpoint;
use proto::WriteRequest;

pub use numbers::METRICS;
pub use settings::Settings;

/// All endpoints. It is the process', not the configuration's: what waits for an endpoint outlives a reload.
#[derive(Debug, Default)]
pub struct RemoteWrite {
    endpoints: Mutex<Arc<[Arc<Endpoint>]>>,
}

/// Sends an endpoint a request with nothing in it, which every endpoint takes from those whom it trusts.
///
/// # Errors
/// Why it was not taken, never with a secret.
pub async fn try_out(settings: &Settings) -> Result<(), String> {
    let nothing = WriteRequest::default().compressed();
    let carried = Courier::new(settings).carry(nothing.into()).await;
    carried.map_err(|failure| failure.reason)
}

impl RemoteWrite {
    /// From now on there are these endpoints, and they hear of what `store` takes. One that had the name of one of them
    /// before hands over what waits; what waits for any other is lost, for nobody wants it any more.
    pub fn configure(&self, settings: &[Settings], external_labels: &Labels, store: &Arc<Store>) {
        let before = self.endpoints();
        let endpoint = |settings: &Settings| {
            let mut before = before.iter();
            let before = before.find(|before| before.settings.name == settings.name);
            let before = before.map(AsRef::as_ref);
            let (settings, labels) = (settings.clone(), external_labels.clone());
            Arc::new(Endpoint::new(settings, labels, store, before))
        };
        let endpoints = settings.iter().map(endpoint).collect();
        let named = |name: &str| settings.iter().any(|settings| settings.name == name);
        for gone in before.iter().filter(|before| !named(&before.settings.name)) {
            gone.tell_left("the endpoint is no longer configured");
        }
        *self
            .endpoints
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = endpoints;
    }

    /// Sends until stopped, to each endpoint at its own pace. What waits then is kept.
    pub async fn run(&self, board: &Board, stop: CancellationToken) {
        let endpoints = self.endpoints();
        let running = endpoints.iter();
        join_all(running.map(|endpoint| endpoint.run(board, &stop))).await;
    }

    /// Sends what is left, for a short time, once nothing more comes.
    pub async fn farewell(&self) {
        let endpoints = self.endpoints();
        join_all(endpoints.iter().map(|endpoint| endpoint.farewell())).await;
    }

    /// How each endpoint is doing.
    pub fn samples(&self) -> Vec<Sample> {
        let endpoints = self.endpoints();
        let each = endpoints.iter();
        each.flat_map(|endpoint| endpoint.samples()).collect()
    }

    fn endpoints(&self) -> Arc<[Arc<Endpoint>]> {
        let endpoints = self.endpoints.lock();
        endpoints.unwrap_or_else(PoisonError::into_inner).clone()
    }
}
