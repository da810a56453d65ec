//! One rule at one slot: the old alerts and the store give samples, transitions and the new alerts. No clock, no I/O.

use crate::sample::{Labels, Source, Sources, Timestamp};
use crate::store::Store;

use super::{Alert, Group, Rule, Transition};

/// What the rule left behind at its previous evaluation.
#[derive(Debug, Clone, Copy, Default)]
pub struct Before<'a> {
    /// Its alerts; those of other rules are passed over.
    pub alerts: &'a [&'a Alert],
    /// The series it wrote: [`Evaluation::series`], empty after a start.
    pub series: &'a [Labels],
}

/// What every rule is evaluated with.
pub struct Context<'a> {
    /// `external_labels` of the configuration, for templates.
    pub external_labels: &'a Labels,
    /// `external_url` of the configuration, for templates.
    pub external_url: &'a str,
    /// Whether a source will never be read again: its server left the configuration, its database was dropped, its
    /// collector was disabled. No alert waits for such a source.
    pub retired: &'a dyn Fn(&Source) -> bool,
}

/// The outcome of one rule at one slot.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Evaluation {
    /// The time of the samples: the slot less the group's `query_offset`.
    pub at: Timestamp,
    /// `ALERTS` and `ALERTS_FOR_STATE`, or the recorded series; a staleness marker for each that is no longer given.
    pub samples: Vec<(Labels, f64, Sources)>,
    /// The series among them that are not marked stale, for the next evaluation.
    pub series: Vec<Labels>,
    /// What is to be logged.
    pub transitions: Vec<Transition>,
    /// The rule's alerts as they are now, values and annotations current; forgotten ones are left out.
    pub alerts: Vec<Alert>,
}

/// Evaluates a rule at a slot. Purely a function of its arguments.
///
/// # Errors
/// The expression has no value, two results are alike, or there are more than the group's limit. The rule's alerts
/// stay as they are and nothing is to be written.
pub fn evaluate(
    _rule: &Rule,
    _group: &Group,
    _before: Before<'_>,
    _store: &Store,
    _slot: Timestamp,
    _context: &Context<'_>,
) -> Result<Evaluation, String> {
    todo!()
}
