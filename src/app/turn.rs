//! One rule at one slot: what it is evaluated with, and where the result goes. Touches no clock, so the watch, the replay
//! and tests drive the same code, each with a time of its own.

use crate::incident::{Event, Ledger};
use crate::promql::Limits;
use crate::rules::{
    self, Alert, Before, Context, Due, Evaluation, Group, Rule, RuleError, Transition,
};
use crate::sample::{Labels, Source, Timestamp};
use crate::store::Store;

/// What every rule is evaluated with, and where the results go.
pub struct Turn<'a> {
    /// Where series are read, and written to.
    pub store: &'a Store,
    /// Where alerts are read, and what becomes of them is noted.
    pub ledger: &'a Ledger,
    /// `external_labels` of the configuration, for templates.
    pub external_labels: &'a Labels,
    /// `external_url` of the configuration, for templates.
    pub external_url: &'a str,
    /// Whether a source will never be read again.
    pub retired: &'a dyn Fn(&Source) -> bool,
    /// Whether what a source last read still counts at a slot.
    pub fresh: &'a dyn Fn(&Source, Timestamp) -> bool,
    /// Who is to know what becomes of alerts before it is noted.
    pub turned: &'a dyn Fn(&[Transition]),
}

impl Turn<'_> {
    /// Evaluates a rule; changes nothing. `series` are those that it wrote at the slot before.
    ///
    /// # Errors
    /// Why it has no result.
    pub fn evaluate(
        &self,
        rule: &Rule,
        group: &Group,
        slot: Timestamp,
        series: &[Labels],
    ) -> Result<Evaluation, RuleError> {
        let alerts: Vec<Alert> = self.ledger.read(|book| {
            let own = book.alerts.values().filter(|alert| rule.owns(alert));
            own.cloned().collect()
        });
        let alerts: Vec<&Alert> = alerts.iter().collect();
        let context = Context {
            external_labels: self.external_labels,
            external_url: self.external_url,
            retired: self.retired,
            fresh: &|source| (self.fresh)(source, slot),
            limits: Limits::default(),
        };
        let before = Before {
            alerts: &alerts,
            series,
        };
        rules::evaluate(rule, group, before, self.store, slot, &context)
    }

    /// Hands a result on: samples to the store, what becomes of alerts to the ledger. Gives back the series it wrote.
    pub fn carry(&self, evaluation: Evaluation) -> Vec<Labels> {
        for (labels, value, sources) in evaluation.samples {
            self.store
                .append(evaluation.at, &sources, [(labels, value)]);
        }
        (self.turned)(&evaluation.transitions);
        let transitions = evaluation.transitions.into_iter();
        let events: Vec<Event> = transitions.map(Event::Alert).collect();
        self.ledger.record(&events);
        self.ledger.refresh(evaluation.alerts);
        evaluation.series
    }
}

/// Which slot of a group comes next.
#[derive(Debug, Clone, Copy)]
pub struct Slots {
    last: Timestamp,
}

impl Slots {
    /// For a group that was last evaluated, or begins, at a moment.
    pub fn after(last: Timestamp) -> Slots {
        Slots { last }
    }

    /// The next slot.
    pub fn next(&self, group: &Group) -> Timestamp {
        rules::next_slot(group, self.last)
    }

    /// The slot to evaluate now, when one has come.
    pub fn due(&mut self, group: &Group, now: Timestamp) -> Option<Due> {
        let due = rules::due(group, self.last, now);
        if let Some(due) = due {
            self.last = due.slot;
        } else if now < self.last {
            // The clock was set back: the slots of the new time are the ones that count.
            self.last = now;
        }
        due
    }
}
