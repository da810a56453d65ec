//! The expression behind an alert, for links to its graph.

use std::fmt;
use std::sync::Arc;

use crate::rules::Alert;

type Lookup = dyn Fn(&Alert) -> Option<String> + Send + Sync;

/// Gives the expression of the rule that an alert is of, as it is in force; rules of one name are told apart.
#[derive(Clone)]
pub struct Expressions(Arc<Lookup>);

impl Expressions {
    /// As the function says.
    pub fn new(of: impl Fn(&Alert) -> Option<String> + Send + Sync + 'static) -> Self {
        Expressions(Arc::new(of))
    }

    /// That of one alert; `None` when its rule is gone.
    pub(super) fn of(&self, alert: &Alert) -> Option<String> {
        (self.0)(alert)
    }
}

impl Default for Expressions {
    /// Of no rules.
    fn default() -> Self {
        Expressions::new(|_| None)
    }
}

impl fmt::Debug for Expressions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Expressions")
    }
}
