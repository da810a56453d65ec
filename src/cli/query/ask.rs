//! What is asked and what is answered, whoever it is that answers.

pub(super) use crate::promql::Moments;

/// An expression and when to evaluate it.
pub(super) struct Ask {
    pub(super) expression: String,
    pub(super) moments: Moments,
}

/// What came back.
pub(super) struct Answer {
    /// `data` of Prometheus' answer: the kind of the value, and the value.
    pub(super) data: serde_json::Value,
    pub(super) warnings: Vec<String>,
    pub(super) infos: Vec<String>,
}
