//! What the store tells of itself, and of its snapshot.

use crate::sample::{Metric, Sample};
use crate::store::{Kept, Size};

pub(super) const SERIES: Metric = Metric::gauge("pgvigil_store_series", "Series held in memory.");
pub(super) const SAMPLES: Metric =
    Metric::gauge("pgvigil_store_samples", "Samples held in memory.");
pub(super) const BYTES: Metric = Metric::gauge(
    "pgvigil_store_bytes",
    "Memory that the samples and their index take.",
);
pub(super) const REFUSED: Metric = Metric::counter(
    "pgvigil_store_refused_samples_total",
    "Samples refused, by reason: `out_of_order` is older than the newest of its series, `duplicate` of the same time \
     with another value, `no_room` of a new series when series alone fill the store.",
);
pub(super) const CREATED: Metric = Metric::counter(
    "pgvigil_store_series_created_total",
    "Series that came into the store, those of a snapshot included.",
);
pub(super) const REMOVED: Metric = Metric::counter(
    "pgvigil_store_series_removed_total",
    "Series that left the store because all of their samples were dropped.",
);
pub(super) const SNAPSHOT_TIME: Metric = Metric::gauge(
    "pgvigil_store_snapshot_timestamp_seconds",
    "When the snapshot of the store on disk was taken; absent where there is none.",
);
pub(super) const SNAPSHOT_BYTES: Metric = Metric::gauge(
    "pgvigil_store_snapshot_bytes",
    "Size of the snapshot of the store on disk.",
);
pub(super) const SNAPSHOT_TOOK: Metric = Metric::gauge(
    "pgvigil_store_snapshot_duration_seconds",
    "How long it took to write the last snapshot.",
);
pub(super) const SNAPSHOT_DAMAGED: Metric = Metric::gauge(
    "pgvigil_store_snapshot_damaged",
    "Always 1: a snapshot that was of no use at a start and is kept in the state directory under this name for a look.",
);
pub(super) const SNAPSHOT_FAILURES: Metric = Metric::counter(
    "pgvigil_store_snapshot_failures_total",
    "Snapshots that could not be written.",
);

/// How much it holds, and what came and went.
pub(super) fn held(size: &Size) -> Vec<Sample> {
    let mut samples = vec![
        SERIES.sample(&[], size.series as f64),
        SAMPLES.sample(&[], size.samples as f64),
        BYTES.sample(&[], size.bytes as f64),
        CREATED.sample(&[], size.created as f64),
        REMOVED.sample(&[], size.removed as f64),
    ];
    let refused = size.refused.by_reason().into_iter();
    samples
        .extend(refused.map(|(reason, count)| REFUSED.sample(&[("reason", reason)], count as f64)));
    samples
}

/// The damaged snapshots that are kept for a look.
pub(super) fn damaged(files: &[String]) -> impl Iterator<Item = Sample> {
    let each = files.iter();
    each.map(|file| SNAPSHOT_DAMAGED.sample(&[("file", file)], 1.0))
}

/// How its snapshot is doing.
pub(super) fn kept(kept: &Kept) -> Vec<Sample> {
    let mut samples = vec![SNAPSHOT_FAILURES.sample(&[], kept.failures as f64)];
    if let Some(taken) = kept.taken {
        samples.push(SNAPSHOT_TIME.sample(&[], taken.seconds()));
        samples.push(SNAPSHOT_BYTES.sample(&[], kept.bytes as f64));
    }
    let took = kept
        .took
        .map(|took| SNAPSHOT_TOOK.sample(&[], took.as_secs_f64()));
    samples.extend(took);
    samples
}
