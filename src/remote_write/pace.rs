//! Waiting longer after each failure in a row.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

/// An endpoint may ask to be left alone for so long; more would be a way to make us silent.
const LONGEST_WISH: Duration = Duration::from_secs(5 * 60);

/// Waits between two bounds, each up to twice as long as the one before.
#[derive(Debug)]
pub(super) struct Backoff {
    first: Duration,
    longest: Duration,
    next: Duration,
}

impl Backoff {
    /// The first wait and the longest.
    pub(super) fn new((first, longest): (Duration, Duration)) -> Self {
        Backoff {
            first,
            longest,
            next: first,
        }
    }

    /// The wait after one more failure; the endpoint's wish counts, where it has one.
    pub(super) fn after_failure(&mut self, wish: Option<Duration>) -> Duration {
        let whole = self.next;
        self.next = (whole * 2).min(self.longest);
        match wish {
            Some(wish) => wish.min(LONGEST_WISH),
            None => whole.mul_f64(0.5 + 0.5 * chance()),
        }
    }

    /// After a success.
    pub(super) fn reset(&mut self) {
        self.next = self.first;
    }
}

/// Between 0 and 1, so that many do not come back at once. A fresh hasher's keys are the standard library's one source
/// of randomness.
fn chance() -> f64 {
    RandomState::new().build_hasher().finish() as f64 / u64::MAX as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_to_the_longest_and_wishes_count() {
        let second = Duration::from_secs(1);
        let mut backoff = Backoff::new((second, 5 * second));
        for whole in [1, 2, 4, 5, 5] {
            let wait = backoff.after_failure(None);
            assert!(wait <= whole * second && wait >= whole * second / 2);
        }
        assert_eq!(backoff.after_failure(Some(9 * second)), 9 * second);
        let endless = Some(Duration::from_secs(u64::MAX));
        assert_eq!(backoff.after_failure(endless), LONGEST_WISH);
        backoff.reset();
        assert!(backoff.after_failure(None) <= second);
    }
}
