//! Conditions on labels.

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

impl Test {
    /// Whether a label value meets the condition.
    pub fn accepts(&self, value: &str) -> bool {
        match self {
            Test::Equal(wanted) => value == wanted,
            Test::NotEqual(unwanted) => value != unwanted,
            Test::Like(pattern) => pattern.is_match(value),
            Test::NotLike(pattern) => !pattern.is_match(value),
        }
    }
}
