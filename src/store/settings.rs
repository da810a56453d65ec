//! `store:` in the configuration.

use std::time::Duration;

use crate::document::Section;

/// How much history is kept; whichever bound is reached first.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The age at which samples are dropped.
    pub retention: Duration,
    /// The memory of the compressed samples and the index above which the oldest are dropped.
    pub max_bytes: u64,
}

/// When the history is written to the disk.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SnapshotSettings {
    /// How often; `None` for at the end alone.
    pub interval: Option<Duration>,
}

impl Settings {
    /// Reads its part of the section.
    pub fn read(s: &mut Section) -> Self {
        Settings {
            retention: s.duration("retention", "24h", "Samples older than this are dropped."),
            max_bytes: s.bytes(
                "max_bytes",
                "32MiB",
                "Above this size in memory the oldest samples are dropped.",
            ),
        }
    }

    pub(super) fn most(&self) -> usize {
        usize::try_from(self.max_bytes).unwrap_or(usize::MAX)
    }
}

impl SnapshotSettings {
    /// Reads its part of the section.
    pub fn read(s: &mut Section) -> Self {
        let interval = s.duration(
            "snapshot_interval",
            "5m",
            "How often the history is written to the state directory, from where a start takes it; `0` writes it only \
             when pgvigil stops, so that a crash loses it.",
        );
        let interval = (!interval.is_zero()).then_some(interval);
        s.refuse_hasty("snapshot_interval", interval);
        SnapshotSettings { interval }
    }
}
