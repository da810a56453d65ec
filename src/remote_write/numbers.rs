//! What became of the samples of one endpoint, and how that is told as metrics.

use crate::sample::{Metric, Sample, Timestamp};

const SENT: Metric = Metric::counter(
    "pgvigil_remote_write_sent_samples_total",
    "Samples that the endpoint has taken.",
);
const SENT_BYTES: Metric = Metric::counter(
    "pgvigil_remote_write_sent_bytes_total",
    "Bytes that the endpoint has taken, compressed.",
);
const RETRIED: Metric = Metric::counter(
    "pgvigil_remote_write_retried_samples_total",
    "Samples in tries that failed and were repeated later.",
);
const LOST: Metric = Metric::counter(
    "pgvigil_remote_write_lost_samples_total",
    "Samples that were given up: refused by the endpoint, pushed out of a full queue (queue_full), older than sample_age_limit (too_old), or not gathered in time (missed).",
);
const QUEUED: Metric = Metric::gauge(
    "pgvigil_remote_write_queued_samples",
    "Samples that wait, with those that are being sent.",
);
const QUEUED_BYTES: Metric = Metric::gauge(
    "pgvigil_remote_write_queued_bytes",
    "Bytes that wait, compressed, of at most queue_config.max_bytes.",
);
const LAG: Metric = Metric::gauge(
    "pgvigil_remote_write_lag_seconds",
    "By how much the oldest sample that waits is older than the newest in the store; 0 where none waits.",
);
const NEWEST_SENT: Metric = Metric::gauge(
    "pgvigil_remote_write_newest_sent_timestamp_seconds",
    "The time of the newest sample that the endpoint has taken.",
);
const LAST_SUCCESS: Metric = Metric::gauge(
    "pgvigil_remote_write_last_success_timestamp_seconds",
    "When the endpoint last took anything.",
);

/// Every metric declared here, for the reference and for checking rules. Their label `remote_name` is the endpoint's
/// name.
pub const METRICS: &[Metric] = &[
    SENT,
    SENT_BYTES,
    RETRIED,
    LOST,
    QUEUED,
    QUEUED_BYTES,
    LAG,
    NEWEST_SENT,
    LAST_SUCCESS,
];

/// Why samples were given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Loss {
    /// The endpoint wants none of them.
    Refused,
    /// The queue was full.
    QueueFull,
    /// They are older than the limit.
    TooOld,
    /// More came than could be gathered.
    Missed,
}

impl Loss {
    const ALL: [(Loss, &str); 4] = [
        (Loss::Refused, "refused"),
        (Loss::QueueFull, "queue_full"),
        (Loss::TooOld, "too_old"),
        (Loss::Missed, "missed"),
    ];
}

/// What became of the samples so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Numbers {
    pub(super) sent: u64,
    pub(super) sent_bytes: u64,
    pub(super) retried: u64,
    pub(super) newest_sent: Option<Timestamp>,
    pub(super) last_success: Option<Timestamp>,
    /// The time of the newest sample that was gathered.
    pub(super) newest: Option<Timestamp>,
    lost: [u64; Loss::ALL.len()],
}

/// What waits at the moment.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Backlog {
    pub(super) samples: u64,
    pub(super) bytes: u64,
    pub(super) oldest: Option<Timestamp>,
}

impl Numbers {
    /// Counts samples that were given up.
    pub(super) fn lose(&mut self, why: Loss, samples: u64) {
        self.lost[why as usize] += samples;
    }

    /// As samples of pgvigil's own.
    pub(super) fn samples(&self, remote_name: &str, backlog: Backlog) -> Vec<Sample> {
        let labels = [("remote_name", remote_name)];
        let newest = self.newest.zip(backlog.oldest);
        let lag = newest.map_or(0.0, |(newest, oldest)| newest.since(oldest).as_secs_f64());
        let mut samples = vec![
            SENT.sample(&labels, self.sent as f64),
            SENT_BYTES.sample(&labels, self.sent_bytes as f64),
            RETRIED.sample(&labels, self.retried as f64),
            QUEUED.sample(&labels, backlog.samples as f64),
            QUEUED_BYTES.sample(&labels, backlog.bytes as f64),
            LAG.sample(&labels, lag),
        ];
        samples.extend(Loss::ALL.map(|(why, reason)| {
            let labels = [labels[0], ("reason", reason)];
            LOST.sample(&labels, self.lost[why as usize] as f64)
        }));
        let newest = self.newest_sent;
        samples.extend(newest.map(|at| NEWEST_SENT.sample(&labels, at.seconds())));
        let last = self.last_success;
        samples.extend(last.map(|at| LAST_SUCCESS.sample(&labels, at.seconds())));
        samples
    }
}
