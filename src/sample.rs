//! The common currency: what the collectors and probes hand to the store, the page and the rules.

use std::fmt;
use std::ops::Add;
use std::sync::Arc;
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
    /// The wall clock. Only `app`, `scrape`, `backup`, `notify` and `web` may ask for it; the rest are handed the time.
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
        Timestamp(self.0 - span.as_millis() as i64)
    }

    /// RFC 3339 in UTC with milliseconds, as Alertmanager and the incident log write it.
    pub fn rfc3339(self) -> String {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(moment) => format!("{moment:.3}"),
            Err(_) => "0001-01-01T00:00:00.000Z".into(),
        }
    }
}

impl Add<Duration> for Timestamp {
    type Output = Timestamp;
    fn add(self, span: Duration) -> Timestamp {
        Timestamp(self.0 + span.as_millis() as i64)
    }
}

/// The value Prometheus writes where a series ended.
pub const STALE: f64 = f64::from_bits(0x7ff0_0000_0000_0002);

/// Whether a value is the staleness marker (a NaN of its own, unlike a measured NaN).
pub fn is_stale(value: f64) -> bool {
    value.to_bits() == STALE.to_bits()
}

/// A set of label pairs, sorted by name, without empty values; cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Labels(Arc<[(Arc<str>, Arc<str>)]>);

/// The label that holds the metric name inside the store.
pub const NAME: &str = "__name__";

impl Labels {
    /// Sorts the pairs and leaves out empty values, which mean absent; of two pairs with one name the last counts.
    pub fn new<N: Into<Arc<str>>, V: Into<Arc<str>>>(
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let mut sorted: Vec<(Arc<str>, Arc<str>)> = Vec::new();
        for (name, value) in pairs {
            let (name, value) = (name.into(), value.into());
            match sorted.binary_search_by(|(known, _)| known.cmp(&name)) {
                Ok(place) => sorted[place].1 = value,
                Err(place) => sorted.insert(place, (name, value)),
            }
        }
        sorted.retain(|(_, value)| !value.is_empty());
        Labels(sorted.into())
    }

    /// The value of a label; empty when absent, as in PromQL.
    pub fn get(&self, name: &str) -> &str {
        match self
            .0
            .binary_search_by(|(known, _)| known.as_ref().cmp(name))
        {
            Ok(place) => &self.0[place].1,
            Err(_) => "",
        }
    }

    /// The metric name, empty when there is none.
    pub fn metric(&self) -> &str {
        self.get(NAME)
    }

    /// The same labels with one set (or, by an empty value, removed).
    pub fn with(&self, name: &str, value: &str) -> Labels {
        Labels::new(
            self.0
                .iter()
                .cloned()
                .chain([(Arc::from(name), Arc::from(value))]),
        )
    }

    /// The same labels with those of `over` set over them.
    pub fn merged(&self, over: &Labels) -> Labels {
        Labels::new(self.0.iter().chain(over.0.iter()).cloned())
    }

    /// Only those labels for which `keep` says so.
    pub fn filtered(&self, keep: impl Fn(&str) -> bool) -> Labels {
        Labels(
            self.0
                .iter()
                .filter(|(name, _)| keep(name))
                .cloned()
                .collect(),
        )
    }

    /// The pairs in name order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_ref(), value.as_ref()))
    }

    /// How many labels there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no label at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Alertmanager's fingerprint (M23): FNV-1a 64 over `name 0xff value 0xff` in name order.
    pub fn fingerprint(&self) -> u64 {
        let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
        let mut eat = |bytes: &[u8]| {
            for byte in bytes.iter().chain([&0xff]) {
                hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
            }
        };
        for (name, value) in self.iter() {
            eat(name.as_bytes());
            eat(value.as_bytes());
        }
        hash
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Labels {
    /// As PromQL writes a series: `name{a="b"}`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.metric())?;
        let pairs: Vec<String> = self
            .iter()
            .filter(|(name, _)| *name != NAME)
            .map(|(name, value)| format!("{name}={value:?}"))
            .collect();
        if pairs.is_empty() && !self.metric().is_empty() {
            Ok(())
        } else {
            write!(f, "{{{}}}", pairs.join(", "))
        }
    }
}

impl serde::Serialize for Labels {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> serde::Deserialize<'de> for Labels {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let pairs = std::collections::BTreeMap::<String, String>::deserialize(deserializer)?;
        Ok(Labels::new(pairs))
    }
}

/// What Prometheus calls a metric's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MetricKind {
    /// Only grows, but for resets.
    Counter,
    /// Goes up and down.
    Gauge,
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

    /// One value of it.
    pub fn sample(self, labels: &[(&str, &str)], value: f64) -> Sample {
        let family = Family {
            name: self.name.into(),
            kind: self.kind,
            help: self.help.into(),
        };
        Sample {
            family: Arc::new(family),
            labels: Labels::new(labels.iter().copied()),
            value,
        }
    }
}

/// Where samples come from: one collector (or probe) on one database of one server.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct Source {
    /// The server's configured name; empty for what belongs to no server (pgvigil itself).
    pub server: Arc<str>,
    /// The database for collectors of database scope, else empty.
    pub database: Arc<str>,
    /// The collector's name; a backup source is `backup:NAME`.
    pub collector: Arc<str>,
}

impl Source {
    /// A source by its three names.
    pub fn new(server: &str, database: &str, collector: &str) -> Self {
        Source {
            server: server.into(),
            database: database.into(),
            collector: collector.into(),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [&self.server, &self.database, &self.collector];
        let named: Vec<&str> = parts
            .iter()
            .map(|part| part.as_ref())
            .filter(|part| !part.is_empty())
            .collect();
        f.write_str(&named.join("/"))
    }
}

/// The set of sources a value rests on, sorted; cheap to clone and to unite.
#[derive(
    Debug,
    Clone,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    serde::Serialize,
    serde::Deserialize,
)]
pub struct Sources(Arc<[Source]>);

impl Sources {
    /// The set of one.
    pub fn one(source: Source) -> Self {
        Sources(Arc::from([source]))
    }

    /// What both sets hold together.
    pub fn union(&self, other: &Sources) -> Sources {
        if other.0.is_empty() || Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0 {
            return self.clone();
        }
        if self.0.is_empty() {
            return other.clone();
        }
        self.0.iter().chain(other.0.iter()).cloned().collect()
    }

    /// The sources in order.
    pub fn iter(&self) -> impl Iterator<Item = &Source> {
        self.0.iter()
    }

    /// Whether the value rests on nothing that was read (a literal, say).
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Source> for Sources {
    fn from_iter<I: IntoIterator<Item = Source>>(sources: I) -> Self {
        let sorted: std::collections::BTreeSet<Source> = sources.into_iter().collect();
        Sources(sorted.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_alertmanagers() {
        let labels = Labels::new([("r", "ok"), ("alertname", "good1")]);
        assert_eq!(format!("{:016x}", labels.fingerprint()), "12f4d77cc3dfad64");
    }

    #[test]
    fn empty_values_are_absent_and_the_last_of_two_counts() {
        let labels = Labels::new([("b", "1"), ("a", "x"), ("b", "2"), ("c", "")]);
        assert_eq!(labels.to_string(), r#"{a="x", b="2"}"#);
        assert_eq!(labels.with("a", "").to_string(), r#"{b="2"}"#);
    }
}
