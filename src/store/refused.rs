//! Samples that were not taken, by reason.

/// Samples refused since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Refused {
    /// Older than the newest of their series.
    pub out_of_order: u64,
    /// At the time of the newest of their series, with another value.
    pub duplicate: u64,
    /// Of a new series when the series alone fill the store.
    pub no_room: u64,
}

impl Refused {
    /// All of them.
    pub fn total(&self) -> u64 {
        self.by_reason().iter().map(|(_, count)| count).sum()
    }

    /// Each reason by name, with its count.
    pub fn by_reason(&self) -> [(&'static str, u64); 3] {
        [
            ("out_of_order", self.out_of_order),
            ("duplicate", self.duplicate),
            ("no_room", self.no_room),
        ]
    }
}
