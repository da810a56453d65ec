//! `query:` in the configuration.

use std::time::Duration;

use crate::document::Section;

/// What the queries of others may take.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The time for one, its wait for its turn included.
    pub timeout: Duration,
    /// The samples one may hold at once.
    pub max_samples: u64,
    /// How many run at once.
    pub max_concurrency: u64,
    /// How far back an instant selector looks.
    pub lookback_delta: Duration,
}

impl Settings {
    /// Reads the section.
    pub fn read(s: &mut Section) -> Self {
        let settings = Settings {
            timeout: s.duration(
                "timeout",
                "2m",
                "The most a query may take, its wait for its turn included; a request may ask for less.",
            ),
            max_samples: s.count(
                "max_samples",
                "5000000",
                "The most samples a query may hold at once. Each takes 16 bytes, so that these are 80 MB; the 50000000 of \
                 Prometheus would be more than all else that pgvigil keeps.",
            ),
            max_concurrency: s.count(
                "max_concurrency",
                "4",
                "How many queries run at once; others wait. Each has a thread and memory of its own, and pgvigil lives on \
                 few of both: Prometheus has 20.",
            ),
            lookback_delta: s.duration(
                "lookback_delta",
                "5m",
                "How far back a query looks for the last sample of a series. Rules always look back 5m.",
            ),
        };
        for (key, missing) in [
            ("timeout", settings.timeout.is_zero()),
            ("max_samples", settings.max_samples == 0),
            ("max_concurrency", settings.max_concurrency == 0),
            ("lookback_delta", settings.lookback_delta.is_zero()),
        ] {
            if missing {
                s.problem(key, "must be more than `0`", None);
            }
        }
        settings
    }
}

impl Default for Settings {
    /// What holds when nothing is written.
    fn default() -> Self {
        Settings {
            timeout: Duration::from_secs(120),
            max_samples: 5_000_000,
            max_concurrency: 4,
            lookback_delta: crate::promql::LOOK_BACK,
        }
    }
}
