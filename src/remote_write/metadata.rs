//! What the metrics on the page are, for endpoints that keep types and help texts.

use std::collections::BTreeMap;

use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::outbox::Outbox;
use super::proto::{MetricMetadata, MetricType, WriteRequest};
use super::queue::Parcel;
use super::settings::Settings;
use crate::sample::MetricKind;
use crate::scrape::Board;

/// Lets an endpoint be told now and then, unless it has not yet been told what was last to be; never ends.
pub(super) async fn describe(board: &Board, settings: &Settings, outbox: &Outbox) {
    let Some(every) = settings.metadata else {
        return std::future::pending().await;
    };
    let mut ticks = interval_at(Instant::now() + every, every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if !outbox.queue.holds_metadata() {
            for parcel in parcels(board, settings.limits.per_send) {
                outbox.enqueue(parcel, settings.limits.max_bytes);
            }
        }
    }
}

/// Every metric on the page with its type and help text, in requests of at most `most`.
fn parcels(board: &Board, most: usize) -> Vec<Parcel> {
    let current = board.current();
    let families = current.iter().flat_map(|(_, samples)| samples.iter());
    let families = families.map(|sample| (sample.family.head(), &sample.family));
    let metrics: Vec<MetricMetadata> = BTreeMap::from_iter(families)
        .into_iter()
        .map(|(name, family)| MetricMetadata {
            kind: kind(family.kind).into(),
            name: name.to_owned(),
            help: family.help.to_string(),
        })
        .collect();
    metrics.chunks(most).map(parcel).collect()
}

fn parcel(metrics: &[MetricMetadata]) -> Parcel {
    let request = WriteRequest {
        timeseries: Vec::new(),
        metadata: metrics.to_vec(),
    };
    Parcel {
        body: request.compressed().into(),
        samples: 0,
        span: None,
    }
}

fn kind(kind: MetricKind) -> MetricType {
    match kind {
        MetricKind::Counter => MetricType::Counter,
        MetricKind::Gauge => MetricType::Gauge,
        MetricKind::Histogram => MetricType::Histogram,
        MetricKind::Unknown => MetricType::Unknown,
    }
}
