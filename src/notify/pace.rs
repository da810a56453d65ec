//! How fast one address is sent to: a token bucket, and waiting longer after each failure.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use tokio::time::Instant;

/// The first wait after a failure; each further one is twice as long.
const FIRST: Duration = Duration::from_millis(500);

/// No wait of our own is longer; a service may ask for more.
const LONGEST: Duration = Duration::from_secs(60);

/// A token bucket, full at first.
#[derive(Debug)]
pub(super) struct Bucket {
    every: Duration,
    burst: u32,
    /// When the bucket was, or will be, full.
    full: Instant,
}

impl Bucket {
    /// One message `every` so often, after a burst of at most `burst`.
    pub(super) fn new(every: Duration, burst: u32, now: Instant) -> Self {
        Bucket {
            every,
            burst,
            full: now,
        }
    }

    /// How long to wait before the next message may go.
    pub(super) fn wait(&self, now: Instant) -> Duration {
        let room = self.every * (self.burst - 1);
        self.full.saturating_duration_since(now + room)
    }

    /// Counts a message.
    pub(super) fn take(&mut self, now: Instant) {
        self.full = self.full.max(now) + self.every;
    }
}

/// Waits after failures in a row: longer each time, up to a minute, each a little different so that many do not come
/// back at once.
#[derive(Debug, Default)]
pub(super) struct Backoff(u32);

impl Backoff {
    /// The wait after one more failure.
    pub(super) fn next(&mut self) -> Duration {
        let whole = FIRST.saturating_mul(1 << self.0.min(10)).min(LONGEST);
        self.0 += 1;
        // A fresh hasher's keys are the standard library's one source of randomness.
        let random = RandomState::new().build_hasher().finish();
        whole.mul_f64(0.5 + 0.5 * (random as f64 / u64::MAX as f64))
    }

    /// Whether the last try went well, or there was none.
    pub(super) fn is_calm(&self) -> bool {
        self.0 == 0
    }

    /// After a success.
    pub(super) fn reset(&mut self) {
        self.0 = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_burst_one_goes_each_interval() {
        let start = Instant::now();
        let second = Duration::from_secs(1);
        let mut bucket = Bucket::new(second, 3, start);
        let mut now = start;
        let mut sent = Vec::new();
        for _ in 0..6 {
            now += bucket.wait(now);
            bucket.take(now);
            sent.push((now - start).as_secs());
        }
        assert_eq!(sent, [0, 0, 0, 1, 2, 3]);
        assert_eq!(bucket.wait(now + 3 * second), Duration::ZERO);
    }

    #[test]
    fn waits_grow_to_a_minute() {
        let mut backoff = Backoff::default();
        let waits: Vec<Duration> = (0..12).map(|_| backoff.next()).collect();
        assert!(waits[0] <= FIRST && waits[0] >= FIRST / 2);
        assert!(waits[11] <= LONGEST && waits[11] >= LONGEST / 2);
        backoff.reset();
        assert!(backoff.next() <= FIRST);
    }
}
