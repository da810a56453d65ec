//! Time as Prometheus counts it.

use std::ops::Add;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A moment in milliseconds since the Unix epoch, as Prometheus counts time.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    serde::Serialize,
    serde::Deserialize,
)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The wall clock. Only `app`, `scrape`, `backup`, `notify`, `remote_write` and `web` may ask for it; the rest are handed the time.
    pub fn now() -> Self {
        let since_epoch = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp(since_epoch.as_millis() as i64)
    }

    /// From seconds since the epoch, as PromQL writes moments.
    pub fn from_seconds(seconds: f64) -> Self {
        Timestamp((seconds * 1000.0).round() as i64)
    }

    /// Seconds since the epoch.
    pub fn seconds(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// How long ago `earlier` was; zero when it lies ahead.
    pub fn since(self, earlier: Timestamp) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0).max(0) as u64)
    }

    /// The moment `span` before this one.
    pub fn before(self, span: Duration) -> Timestamp {
        Timestamp(self.0.saturating_sub(millis(span)))
    }

    /// RFC 3339 in UTC with milliseconds, as Alertmanager and the incident log write it.
    pub fn rfc3339(self) -> String {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(moment) => format!("{moment:.3}"),
            Err(_) => "0001-01-01T00:00:00.000Z".into(),
        }
    }

    /// The same without zeros at the end of the fraction, as Go writes a time into JSON.
    pub fn rfc3339_short(self) -> String {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(moment) => moment.to_string(),
            Err(_) => "0001-01-01T00:00:00Z".into(),
        }
    }
}

impl Add<Duration> for Timestamp {
    type Output = Timestamp;
    fn add(self, span: Duration) -> Timestamp {
        Timestamp(self.0.saturating_add(millis(span)))
    }
}

/// A span that somebody has set may be longer than time itself.
fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_ends_where_the_count_does() {
        let (now, endless) = (Timestamp(1), Duration::from_millis(u64::MAX));
        assert_eq!(now + endless, Timestamp(i64::MAX));
        assert_eq!(now.before(endless), Timestamp(1 - i64::MAX));
        assert_eq!(now.before(endless) + endless, now);
    }

    #[test]
    fn moments_are_written_with_and_without_zeros() {
        let cases = [
            (
                1_763_900_000_930,
                "2025-11-23T12:13:20.930Z",
                "2025-11-23T12:13:20.93Z",
            ),
            (
                1_763_900_000_000,
                "2025-11-23T12:13:20.000Z",
                "2025-11-23T12:13:20Z",
            ),
        ];
        for (at, padded, short) in cases {
            assert_eq!(Timestamp(at).rfc3339(), padded);
            assert_eq!(Timestamp(at).rfc3339_short(), short);
        }
    }
}
