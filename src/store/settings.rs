//! `store:` in the configuration.

use std::time::Duration;

use crate::document::Section;

/// How much history is kept; whichever bound is reached first.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The age at which samples are dropped.
    pub retention: Duration,
    /// The size of the compressed samples and the index above which the oldest are dropped.
    pub max_bytes: u64,
}

impl Settings {
    /// Reads the section.
    pub fn read(s: &mut Section) -> Self {
        Settings {
            retention: s.duration("retention", "24h", "Samples older than this are dropped."),
            max_bytes: s.bytes(
                "max_bytes",
                "32MiB",
                "Above this size the oldest samples are dropped.",
            ),
        }
    }
}
