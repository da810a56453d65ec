//! Series in memory with retention; has never heard of PostgreSQL.
//! Takes labels and values with their time and sources; hands series to `promql`.

mod settings;

use std::time::Duration;

use crate::sample::{Labels, Source, Sources, Timestamp};

pub use settings::Settings;

/// A condition on one label.
#[derive(Debug, Clone)]
pub struct Matcher {
    /// The label, `__name__` for the metric name.
    pub name: String,
    /// The condition on its value (empty when absent).
    pub test: Test,
}

/// The four conditions of PromQL; regular expressions are anchored at both ends.
#[derive(Debug, Clone)]
pub enum Test {
    /// `=`
    Equal(String),
    /// `!=`
    NotEqual(String),
    /// `=~`
    Like(regex::Regex),
    /// `!~`
    NotLike(regex::Regex),
}

/// A series as it was selected.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// All labels, `__name__`, `job` and `instance` included.
    pub labels: Labels,
    /// What its newest sample rests on.
    pub sources: Sources,
    /// Its samples in order of time, staleness markers included.
    pub points: Vec<(Timestamp, f64)>,
}

/// How much the store holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Size {
    /// Series with at least one sample.
    pub series: usize,
    /// Samples.
    pub samples: usize,
    /// Bytes of the compressed samples and the index, estimated.
    pub bytes: usize,
    /// Samples refused because they were older than, or at the time of, the newest of their series.
    pub refused: u64,
}

/// All series of this process. Shared by reference; every call locks for itself.
#[derive(Debug)]
pub struct Store {
    _retention: Duration,
}

impl Store {
    /// An empty store that covers from `start` on.
    pub fn new(_settings: &Settings, _start: Timestamp) -> Self {
        todo!()
    }

    /// Adds one sample to each series at one time. `labels` hold `__name__`. A sample not newer than its series'
    /// newest is refused and counted.
    pub fn append(
        &self,
        _at: Timestamp,
        _sources: &Sources,
        _samples: impl IntoIterator<Item = (Labels, f64)>,
    ) {
        todo!()
    }

    /// Notes that a source was read in full at a time.
    pub fn succeeded(&self, _source: &Source, _at: Timestamp) {
        todo!()
    }

    /// When a source was last read in full, also when its series have gone.
    pub fn last_success(&self, _source: &Source) -> Option<Timestamp> {
        todo!()
    }

    /// The series that meet every matcher and have samples in the left-open span `(after, until]`, with those samples.
    pub fn select(
        &self,
        _matchers: &[Matcher],
        _after: Timestamp,
        _until: Timestamp,
    ) -> Vec<Series> {
        todo!()
    }

    /// Since when the store has seen everything: its start, or the end of what retention took away.
    pub fn covers_since(&self) -> Timestamp {
        todo!()
    }

    /// Its size now.
    pub fn size(&self) -> Size {
        todo!()
    }
}
