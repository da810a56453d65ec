//! How delivery is going, as samples of pgvigil's own.

use std::collections::BTreeMap;

use super::Status;
use super::heartbeat;
use crate::incident::Book;
use crate::sample::{Metric, Sample, Timestamp};

const DELIVERED: Metric = Metric::counter(
    "pgvigil_notifications_delivered_total",
    "Messages a receiver took.",
);
const FAILED: Metric = Metric::counter("pgvigil_notifications_failed_total", "Messages given up.");
const RETRIED: Metric = Metric::counter(
    "pgvigil_notifications_retried_total",
    "Tries that failed and were repeated later.",
);
const WAITING: Metric = Metric::gauge(
    "pgvigil_notifications_waiting",
    "Messages that wait for their receiver.",
);
const OLDEST: Metric = Metric::gauge(
    "pgvigil_notifications_oldest_waiting_seconds",
    "For how long the first of those that wait has been due; 0 where none waits.",
);
const DEAD: Metric = Metric::gauge(
    "pgvigil_notifications_dead",
    "Dead letters that are kept: messages that were given up, at most a hundred over all receivers.",
);
const LAST_SUCCESS: Metric = Metric::gauge(
    "pgvigil_notifications_last_success_timestamp_seconds",
    "When the receiver last took a message; absent where it has taken none since the start.",
);
const RECEIVER_UP: Metric = Metric::gauge(
    "pgvigil_receiver_up",
    "Whether the last try at the receiver succeeded.",
);

/// Every metric declared in this room: of delivery by address, and of the heartbeat.
pub const METRICS: &[Metric] = &[
    DELIVERED,
    FAILED,
    RETRIED,
    WAITING,
    OLDEST,
    DEAD,
    LAST_SUCCESS,
    RECEIVER_UP,
    heartbeat::ADVANCING,
    heartbeat::UP,
    heartbeat::PINGS,
    heartbeat::FAILURES,
    heartbeat::LAST_SUCCESS,
];

/// Of every address how delivery to it is going.
pub fn samples(all: &BTreeMap<String, Status>, book: &Book, now: Timestamp) -> Vec<Sample> {
    let each = all.iter().flat_map(|(address, status)| {
        let labels = [
            ("receiver", status.receiver.as_str()),
            ("channel", status.channel),
            ("address", address.as_str()),
        ];
        let dead = book
            .dead
            .iter()
            .filter(|letter| letter.receiver == *address);
        let oldest = status
            .waiting_since
            .map_or(0.0, |since| now.since(since).as_secs_f64());
        let values = [
            (DELIVERED, status.delivered as f64),
            (FAILED, status.failed as f64),
            (RETRIED, status.retried as f64),
            (WAITING, status.waiting as f64),
            (OLDEST, oldest),
            (DEAD, dead.count() as f64),
            (RECEIVER_UP, f64::from(u8::from(status.error.is_none()))),
        ];
        let last = status.last_success;
        let last = last.map(|at| LAST_SUCCESS.sample(&labels, at.seconds()));
        values
            .map(|(metric, value)| metric.sample(&labels, value))
            .into_iter()
            .chain(last)
    });
    each.collect()
}
