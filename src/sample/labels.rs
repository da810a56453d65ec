//! Label sets: what tells one series of a metric from another.

use std::fmt;
use std::sync::Arc;

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

    /// From pairs that are in name order and without empty values.
    pub(crate) fn in_order(pairs: impl IntoIterator<Item = (Arc<str>, Arc<str>)>) -> Self {
        Labels(pairs.into_iter().collect())
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

    /// The pairs in name order, as they are shared.
    pub(crate) fn shared(&self) -> impl Iterator<Item = (&Arc<str>, &Arc<str>)> {
        self.0.iter().map(|(name, value)| (name, value))
    }

    /// Whether both are one set in memory, which takes no look at the pairs.
    pub fn is(&self, other: &Labels) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
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
