//! What the metrics on the page are, for endpoints that keep types and help texts.

use std::collections::BTreeMap;

use super::proto::{MetricMetadata, MetricType, WriteRequest};
use super::queue::Parcel;
use crate::sample::MetricKind;
use crate::scrape::Board;

/// Every metric on the page with its type and help text, in requests of at most `most`.
pub(super) fn parcels(board: &Board, most: usize) -> Vec<Parcel> {
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
