//! `queue_config`: how samples are gathered, and what happens to those that cannot be sent.

use std::time::Duration;

use crate::document::Section;

/// More would be a request that many endpoints refuse.
const MOST_PER_SEND: u64 = 100_000;

/// How samples are gathered and wait.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::remote_write) struct Limits {
    /// What may wait, compressed as it is sent.
    pub(in crate::remote_write) max_bytes: u64,
    /// The most samples of one request.
    pub(in crate::remote_write) per_send: usize,
    /// The longest that a sample waits for others.
    pub(in crate::remote_write) deadline: Duration,
    /// The first wait after a failure, and the longest.
    pub(in crate::remote_write) backoff: (Duration, Duration),
    /// The age at which samples are no longer worth sending.
    pub(in crate::remote_write) age_limit: Option<Duration>,
}

impl Limits {
    /// Reads the section.
    pub(super) fn read(s: &mut Section) -> Self {
        let doc = "What may wait in memory, compressed as it is sent; above it the oldest samples are lost, and counted.";
        let max_bytes = s.bytes("max_bytes", "16MiB", doc);
        let per_send = s.count("max_samples_per_send", "2000", "The most of one request.");
        let doc = "The longest that a sample waits for others to be sent with.";
        let deadline = s.duration("batch_send_deadline", "5s", doc);
        let doc = "The first wait after a failure; each further one is twice as long. Answers 429 and 5xx and \
                   requests without an answer are tried again, after `Retry-After` where the endpoint says it; what \
                   any other answer refuses is lost.";
        let first = s.duration("min_backoff", "30ms", doc);
        let longest = s.duration("max_backoff", "5s", "The longest wait after a failure.");
        let doc = "Samples older than this are not sent any more; `0s` sends all.";
        let age_limit = s.duration("sample_age_limit", "0s", doc);
        for (key, is_zero) in [
            ("max_bytes", max_bytes == 0),
            ("batch_send_deadline", deadline.is_zero()),
            ("min_backoff", first.is_zero()),
        ] {
            if is_zero {
                s.problem(key, "must be more than zero", None);
            }
        }
        if !(1..=MOST_PER_SEND).contains(&per_send) {
            let message = format!("must be between 1 and {MOST_PER_SEND}");
            s.problem("max_samples_per_send", message, None);
        }
        if longest < first {
            s.problem("max_backoff", "is shorter than `min_backoff`", None);
        }
        Limits {
            max_bytes,
            per_send: usize::try_from(per_send).unwrap_or(usize::MAX),
            deadline,
            backoff: (first, longest),
            age_limit: (!age_limit.is_zero()).then_some(age_limit),
        }
    }
}
