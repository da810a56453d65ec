//! The common currency: what the collectors and probes hand to the store, the page and the rules.

mod labels;
mod metric;
mod source;
mod timestamp;

pub use labels::{Labels, NAME};
pub use metric::{Family, Metric, MetricKind, STALE, Sample, is_stale};
pub use source::{Source, Sources};
pub use timestamp::Timestamp;
