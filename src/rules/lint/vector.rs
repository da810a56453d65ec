//! What is known of the value of an expression: whether it only grows, and which labels its elements have.

use super::labels::LabelSet;
use crate::sample::MetricKind;

/// The value of an expression, before there is one.
#[derive(Debug, Clone)]
pub(super) struct Vector {
    pub(super) nature: Nature,
    pub(super) labels: LabelSet,
}

/// How a value moves.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Nature {
    /// It only grows, but for resets: a counter, by its name.
    Counter(String),
    /// It goes up and down: a gauge, by its name.
    Gauge(String),
    /// A number that is written in the expression.
    Constant(f64),
    /// Anything else.
    Other,
}

impl Nature {
    /// Of a metric. A position in the WAL only grows, though it is a gauge by type.
    pub(super) fn of(kind: MetricKind, name: &str) -> Self {
        let grows = ["lsn", "location", "position"];
        match kind {
            MetricKind::Counter => Nature::Counter(name.to_owned()),
            MetricKind::Gauge if !grows.iter().any(|word| name.contains(word)) => {
                Nature::Gauge(name.to_owned())
            }
            _ => Nature::Other,
        }
    }

    /// Of what is one or the other.
    pub(super) fn or(&self, other: &Nature) -> Nature {
        match self == other {
            true => self.clone(),
            false => Nature::Other,
        }
    }

    /// Of a value with a constant added to it, or multiplied by one.
    pub(super) fn scaled(&self) -> Nature {
        match self {
            Nature::Counter(_) => self.clone(),
            _ => Nature::Other,
        }
    }
}

impl Vector {
    /// One element without labels.
    pub(super) fn bare() -> Self {
        Vector::with(LabelSet::default())
    }

    /// Nothing is known but the labels.
    pub(super) fn with(labels: LabelSet) -> Self {
        Vector {
            nature: Nature::Other,
            labels,
        }
    }
}
