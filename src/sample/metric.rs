//! Metrics and their values.

use std::sync::Arc;

use super::Labels;

/// The value Prometheus writes where a series ended.
pub const STALE: f64 = f64::from_bits(0x7ff0_0000_0000_0002);

/// Whether a value is the staleness marker (a NaN of its own, unlike a measured NaN).
pub fn is_stale(value: f64) -> bool {
    value.to_bits() == STALE.to_bits()
}

/// What Prometheus calls a metric's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MetricKind {
    /// Only grows, but for resets.
    Counter,
    /// Goes up and down.
    Gauge,
    /// How many values are not above each of several bounds, with their sum and count: the type of each of its parts.
    Histogram,
    /// Not known; `untyped` in text 0.0.4.
    Unknown,
}

/// What all series of one metric name share.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Family {
    /// The metric name as it stands on the page.
    pub name: Arc<str>,
    /// Its type.
    pub kind: MetricKind,
    /// Its HELP text.
    pub help: Arc<str>,
}

impl Family {
    /// The name under which type and HELP are told: the parts of a histogram share that of the whole.
    pub fn head(&self) -> &str {
        let parts: &[&str] = match self.kind {
            MetricKind::Histogram => &["_bucket", "_sum", "_count"],
            _ => &[],
        };
        let mut told = parts.iter().map(|part| self.name.strip_suffix(part));
        told.find_map(|head| head).unwrap_or(&self.name)
    }
}

/// One value of one series, as a collector or probe read it; its time and source come with the batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Name, type and help.
    pub family: Arc<Family>,
    /// Labels of the fact itself: without name, `server`, `job` and `instance`.
    pub labels: Labels,
    /// The value, in the unit its name says.
    pub value: f64,
}

/// A metric that the code itself declares; collectors declare theirs in YAML.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// The metric name as it stands on the page.
    pub name: &'static str,
    /// Its type.
    pub kind: MetricKind,
    /// Its HELP text.
    pub help: &'static str,
}

impl Metric {
    /// Declares a gauge.
    pub const fn gauge(name: &'static str, help: &'static str) -> Self {
        let kind = MetricKind::Gauge;
        Metric { name, kind, help }
    }

    /// Declares a counter.
    pub const fn counter(name: &'static str, help: &'static str) -> Self {
        let kind = MetricKind::Counter;
        Metric { name, kind, help }
    }

    /// What its series share.
    pub fn family(self) -> Family {
        Family {
            name: self.name.into(),
            kind: self.kind,
            help: self.help.into(),
        }
    }

    /// One value of it.
    pub fn sample(self, labels: &[(&str, &str)], value: f64) -> Sample {
        Sample {
            family: Arc::new(self.family()),
            labels: Labels::new(labels.iter().copied()),
            value,
        }
    }
}
