//! Why a rule gives nothing.

/// Why a rule gives nothing; its alerts stay as they are (E7, S9).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// More alerts or series than the group allows to one rule.
    #[error("exceeded limit of {limit} with {count} {what}")]
    OverLimit {
        /// The most there may be.
        limit: usize,
        /// How many there were.
        count: usize,
        /// `alerts` or `series`.
        what: &'static str,
    },
    /// The expression has no value, or two results are alike.
    #[error("{0}")]
    NoValue(String),
}

impl RuleError {
    /// By how many the limit was exceeded; `None` where something else is wrong.
    pub fn over_limit(&self) -> Option<usize> {
        match self {
            RuleError::OverLimit { limit, count, .. } => Some(count - limit),
            RuleError::NoValue(_) => None,
        }
    }
}

impl From<String> for RuleError {
    fn from(message: String) -> Self {
        RuleError::NoValue(message)
    }
}

impl From<&str> for RuleError {
    fn from(message: &str) -> Self {
        RuleError::NoValue(message.to_owned())
    }
}
