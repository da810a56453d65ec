//! How fast messages go: a token bucket for each place, and waiting longer after each failure.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The first wait after a failure; each further one is twice as long.
const FIRST: Duration = Duration::from_millis(500);

/// No wait of our own is longer; a service may ask for more.
const LONGEST: Duration = Duration::from_secs(60);

/// A token bucket, full at first. Clones are the same bucket.
#[derive(Debug, Clone)]
pub(super) struct Bucket {
    every: Duration,
    burst: u32,
    /// When the bucket was, or will be, full.
    full: Arc<Mutex<Instant>>,
}

impl Bucket {
    /// One message `every` so often, after a burst of at most `burst`.
    pub(super) fn new(every: Duration, burst: u32, now: Instant) -> Self {
        Bucket {
            every,
            burst,
            full: Arc::new(Mutex::new(now)),
        }
    }

    /// Takes a token, for one message.
    ///
    /// # Errors
    /// How long to wait until there is one.
    pub(super) fn take(&self, now: Instant) -> Result<(), Duration> {
        let mut full = self.full.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = full.saturating_duration_since(now + self.room());
        if wait.is_zero() {
            *full = now.max(*full) + self.every;
            Ok(())
        } else {
            Err(wait)
        }
    }

    /// Gives no token for so long, and then one at a time.
    pub(super) fn rest(&self, span: Duration, now: Instant) {
        let mut full = self.full.lock().unwrap_or_else(PoisonError::into_inner);
        *full = (*full).max(now + span + self.room());
    }

    fn room(&self) -> Duration {
        self.every * (self.burst - 1)
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
        let bucket = Bucket::new(second, 3, start);
        let mut now = start;
        let sent = |now: &mut Instant, count: usize| -> Vec<u64> {
            let take = |_| {
                while let Err(wait) = bucket.take(*now) {
                    *now += wait;
                }
                (*now - start).as_secs()
            };
            (0..count).map(take).collect()
        };
        assert_eq!(sent(&mut now, 6), [0, 0, 0, 1, 2, 3]);
        now += 7 * second;
        assert_eq!(sent(&mut now, 4), [10, 10, 10, 11]);
        bucket.clone().rest(9 * second, now);
        assert_eq!(sent(&mut now, 3), [20, 21, 22]);
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
